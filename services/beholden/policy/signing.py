"""Signs a bundle's files and verifies that, as OPA does: one JSON Web Token over every file's hash.

https://www.openpolicyagent.org/docs/management-bundles#signing says what the token holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from beholden.core.errors import FailedPrecondition
from beholden.policy.law import DATA, MANIFEST

SIGNATURES = ".signatures.json"
KEY_ID = "law"
"""What the key is called in the token and in OPA's configuration."""

VerificationKey = ECKey | RSAKey

_DIGEST = "SHA-256"
_LEAST_RSA_BITS = 2048


def read_key(path: Path) -> VerificationKey:
    """A P-256 or RSA key, private or public, from a PEM file. Raises FailedPrecondition."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FailedPrecondition(f"the key {path} cannot be read: {error.strerror}") from error
    for kind in (ECKey, RSAKey):
        try:
            key = kind.import_key(content)
            algorithm(key)
        except (JoseError, ValueError, TypeError):
            continue
        return key
    raise FailedPrecondition(
        f"{path} holds no key that bundles are signed with",
        remedy=f"use PEM of a P-256 key, or of RSA with {_LEAST_RSA_BITS} bits at least",
    )


def algorithm(key: VerificationKey) -> str:
    """What the key signs by: ES256 or RS256. Raises ValueError for a weak key."""
    if isinstance(key, ECKey):
        if key.curve_name != "P-256":
            raise ValueError("not P-256")
        return "ES256"
    if key.raw_value.key_size < _LEAST_RSA_BITS:
        raise ValueError("too short")
    return "RS256"


def sign(files: Mapping[str, str], key: VerificationKey) -> str:
    """The text of .signatures.json for a bundle of these files. Raises FailedPrecondition."""
    if not key.is_private:
        raise FailedPrecondition("a public key signs nothing", remedy="name the private one")
    claims = {
        "files": [
            {"name": name, "hash": _hash(name, text), "algorithm": _DIGEST}
            for name, text in sorted(files.items())
        ]
    }
    header = {"alg": algorithm(key), "kid": KEY_ID}
    return json.dumps({"signatures": [jwt.encode(header, claims, key, algorithms=[header["alg"]])]})


def verify(files: Mapping[str, str], signatures: str, key: VerificationKey) -> None:
    """Raises ValueError unless the key signed these files, all of them and no others."""
    if not signatures:
        raise ValueError("it is not signed")
    claims = _claims(signatures, key)
    signed: dict[str, str] = {}
    for one in claims.get("files", ()):
        if one.get("algorithm", _DIGEST) != _DIGEST:
            raise ValueError(f"{one.get('name')} is hashed with another algorithm than {_DIGEST}")
        signed[one["name"]] = one["hash"]
    for name in sorted(signed.keys() ^ files.keys()):
        raise ValueError(f"{name} is {'missing' if name in signed else 'not signed'}")
    for name, text in files.items():
        if signed[name] != _hash(name, text):
            raise ValueError(f"{name} is not as it was signed")


def _claims(signatures: str, key: VerificationKey) -> dict[str, Any]:
    try:
        (token,) = json.loads(signatures)["signatures"]
        claims: dict[str, Any] = jwt.decode(token, key, algorithms=[algorithm(key)]).claims
    except (JoseError, ValueError, TypeError, KeyError):
        raise ValueError("its signature is not one of the key's") from None
    return claims


def _hash(name: str, text: str) -> str:
    """SHA-256 (hex); of documents in a canonical form, so that spaces and the order of keys do not count."""
    if name.rsplit("/", maxsplit=1)[-1] in (DATA, MANIFEST):
        text = _canonical(json.loads(text, parse_float=_Number, parse_int=_Number))
    return hashlib.sha256(text.encode()).hexdigest()


class _Number(str):
    """A number as it is written."""


def _canonical(value: Any) -> str:
    match value:
        case dict():
            members = (f"{_canonical(key)}:{_canonical(value[key])}" for key in sorted(value))
            return f"{{{','.join(members)}}}"
        case list():
            return f"[{','.join(map(_canonical, value))}]"
        case _Number():
            return str(value)
    # Go's encoder escapes these two, Python's does not.
    text = json.dumps(value, ensure_ascii=False)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
