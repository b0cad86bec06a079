"""The keys that tokens are checked with, as a file holds them: a secret, PEM, or a JWKS."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OctKey, RSAKey

from beholden.core.errors import FailedPrecondition, Unauthenticated

ALGORITHMS = {"oct": "HS256", "RSA": "RS256", "EC": "ES256"}
"""The one algorithm that each type of key is used with, so that a token cannot choose another."""

# RFC 7518: HS256 wants a key as long as its hash (3.2), RS256 2048 bits (3.3), ES256 P-256 (3.4).
_LEAST_SECRET_BYTES = 32
_LEAST_RSA_BITS = 2048


class Keys(Protocol):
    """Where a token's key comes from."""

    async def find(self, kid: str | None) -> Key:
        """The key of that id; the only one where the token names none.

        Raises Unauthenticated for a key that is not there, Unavailable when no keys can be had.
        """
        ...


class StaticKeys:
    """Keys that do not change while the server runs."""

    def __init__(self, keys: Mapping[str, Key], unnamed: Key | None = None) -> None:
        """`unnamed` is a secret or PEM: it has no id of its own, and so takes whatever a token says."""
        self._keys = keys
        self._unnamed = unnamed
        self._only = next(iter(keys.values())) if len(keys) == 1 else unnamed

    async def find(self, kid: str | None) -> Key:
        """See Keys."""
        key = self._only if kid is None else self._keys.get(kid, self._unnamed)
        if key is None:
            raise Unauthenticated("the token's key is not known here")
        return key

    def signing(self) -> Key:
        """The key to mint tokens with. Raises FailedPrecondition where none is secret or private."""
        if self._only is None or not self._only.is_private:
            raise FailedPrecondition("tokens can only be minted with one secret or private key")
        return self._only


def create_key_file(path: Path) -> None:
    """Writes a new random secret that only the owner may read. Raises FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(_LEAST_SECRET_BYTES) + "\n")


def read_keys(path: Path) -> StaticKeys:
    """The keys in a file. A text secret is taken without the line end that editors add.

    Raises FailedPrecondition for a file that cannot be read, and for keys too weak to be trusted;
    something that looks like PEM or JSON is never taken for a secret.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FailedPrecondition(f"the key file {path} cannot be read: {error.strerror}") from error
    text = content.strip()
    if text.startswith(b"-----BEGIN"):
        return StaticKeys({}, _from_pem(text, path))
    if text.startswith(b"{"):
        try:
            return StaticKeys(key_set(json.loads(text)))
        except ValueError as error:
            raise FailedPrecondition(f"the key file {path} is no JWKS: {error}") from error
    secret = text if text.isascii() else content
    if len(secret) < _LEAST_SECRET_BYTES:
        raise FailedPrecondition(
            f"the key file {path} holds {len(secret)} bytes; "
            f"a secret wants {_LEAST_SECRET_BYTES} at least"
        )
    return StaticKeys({}, OctKey.import_key(secret))


def key_set(document: Any, *, secrets_too: bool = True) -> dict[str, Key]:
    """A JWKS's (or one JWK's) keys by their id, those left out that are not for this.

    Raises ValueError when none is left.
    """
    listed = document.get("keys", [document]) if isinstance(document, dict) else []
    keys: dict[str, Key] = {}
    for one in listed if isinstance(listed, list) else []:
        key = _from_jwk(one)
        if key is not None and (secrets_too or key.key_type != "oct"):
            keys.setdefault(key.kid or key.thumbprint(), key)
    if not keys:
        raise ValueError("it holds no key for RS256 (2048 bits at least), ES256 or HS256")
    return keys


def _from_pem(text: bytes, path: Path) -> Key:
    for kind in (RSAKey, ECKey):
        try:
            key = kind.import_key(text)
        except (JoseError, ValueError, TypeError):
            continue
        if _strong(key):
            return key
    raise FailedPrecondition(
        f"the key file {path} is no RSA (2048 bits at least) or P-256 key in PEM"
    )


def _from_jwk(one: Any) -> Key | None:
    kind = one.get("kty") if isinstance(one, dict) else None
    if not isinstance(kind, str) or kind not in ALGORITHMS:
        return None
    if one.get("use", "sig") != "sig" or one.get("alg", ALGORITHMS[kind]) != ALGORITHMS[kind]:
        return None
    try:
        key = JWKRegistry.import_key(one)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if _strong(key) else None


def _strong(key: Key) -> bool:
    match key:
        case OctKey():
            return len(key.raw_value) >= _LEAST_SECRET_BYTES
        case RSAKey():
            return key.raw_value.key_size >= _LEAST_RSA_BITS
        case ECKey():
            return key.curve_name == "P-256"
    return False
