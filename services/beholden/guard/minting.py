"""Makes signed evidence and the keys for it: for development, and for authorities without software."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import Key, OKPKey

from beholden.guard.authorities import ALGORITHMS
from beholden.guard.evidence import token_type


def new_key() -> Key:
    """A fresh Ed25519 key, named by its thumbprint (RFC 7638)."""
    key = OKPKey.generate_key("Ed25519")
    key.ensure_kid()
    return key


def mint_evidence(
    key: Key,
    kind: str,
    *,
    issuer: str,
    tenant: str,
    id: str,
    scope: Mapping[str, Sequence[str] | str],
    audience: str = "beholden",
    lifetime: int = 24 * 3600,
    urgent: bool = False,
    now: float | None = None,
) -> str:
    """A token of that `kind`, good for `lifetime` seconds from `now` (Unix seconds).

    `scope` has lists of actions, purposes, collections and offences, and may have a case.
    """
    begin = int(time.time() if now is None else now)
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": audience,
        "sub": tenant,
        "jti": id,
        "nbf": begin,
        "exp": begin + lifetime,
        "scope": dict(scope),
    }
    if urgent:
        claims["urgent"] = True
    algorithm = ALGORITHMS[key.key_type][0]
    header = {"alg": algorithm, "typ": token_type(kind), "kid": key.kid or key.thumbprint()}
    return jwt.encode(header, claims, key, registry=jws.JWSRegistry(algorithms=[algorithm]))
