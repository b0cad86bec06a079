"""Who may sign evidence, and which evidence was revoked: values made of law/issuers and law/revocations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from beholden.core.errors import FailedPrecondition

KINDS = ("authorisation", "consent")
ALGORITHMS: Mapping[str, tuple[str, ...]] = {
    "EC": ("ES256",),
    "RSA": ("RS256",),
    "OKP": ("Ed25519", "EdDSA"),
}
"""The only algorithms of each type of key: asymmetric ones, so that whoever checks cannot sign."""

_LEAST_RSA_BITS = 2048
_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Authority:
    """One issuer: the kinds of evidence it issues, its keys by id, its longest validity in seconds."""

    issues: frozenset[str]
    keys: Mapping[str, Key]
    longest: int


@dataclass(frozen=True, slots=True)
class Authorities:
    """Issuers by name, and the (issuer, id) of what was revoked; without an issuer nothing is believed."""

    issuers: Mapping[str, Authority] = field(default_factory=dict)
    revoked: frozenset[tuple[str, str]] = frozenset()


def read_authorities(issuers: Any, revocations: Any) -> Authorities:
    """The documents `data.law.issuers` and `data.law.revocations` as values.

    Raises FailedPrecondition, naming the issuer, for anything malformed and for a key that is weak,
    symmetric or private.
    """
    name = ""
    try:
        found: dict[str, Authority] = {}
        for name, entry in issuers.items():
            found[name] = Authority(
                issues=frozenset(entry["issues"]),
                keys={key.kid or key.thumbprint(): key for key in map(_key, entry["keys"])},
                longest=int(entry["max_days"]) * _DAY,
            )
            if not found[name].keys or not found[name].issues <= set(KINDS):
                raise ValueError(f"wants keys, and issues of {', '.join(KINDS)}")
        revoked: set[tuple[str, str]] = set()
        for name, ids in revocations.items():
            if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
                raise ValueError("its revocations must be a list of ids")
            revoked |= {(name, one) for one in ids}
    except (AttributeError, KeyError, TypeError, ValueError, JoseError) as error:
        raise FailedPrecondition(
            f"the law's issuer {name!r} of evidence: {error}", remedy="correct law/issuers"
        ) from None
    return Authorities(found, frozenset(revoked))


def _key(document: Any) -> Key:
    if not isinstance(document, dict) or document.get("kty") not in ALGORITHMS:
        raise ValueError("its keys must be JSON Web Keys of the types EC, RSA or OKP")
    key = JWKRegistry.import_key(document)
    if key.is_private:
        raise ValueError("its keys must be public; the private one stays with the issuer")
    match key:
        case ECKey() if key.curve_name == "P-256":
            return key
        case RSAKey() if key.raw_value.key_size >= _LEAST_RSA_BITS:
            return key
        case OKPKey() if key.curve_name == "Ed25519":
            return key
    raise ValueError("its keys must be P-256, RSA of 2048 bits at least, or Ed25519")
