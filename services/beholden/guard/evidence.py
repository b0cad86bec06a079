"""Signed evidence: an authority's authorisation or a person's consent, checked before it is a fact.

A token is bound to the installation (`aud`), to the tenant (`sub`), to a time, and to a scope: who
copies one can do with it only what its own tenant could, which is why it may be shown more than once
while it lasts. Whether the scope covers the call is the law's to say (policies/usage/evidence), so that
it is recorded, and holds in explanations and simulations too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.jwk import Key

from beholden.core.errors import InvalidArgument
from beholden.core.law import Json
from beholden.guard.authorities import ALGORITHMS, KINDS, Authorities, Authority
from beholden.guard.call import Metadata

_MOST_BYTES = 8192
_MOST_LISTED = 32
_LATEST = 253402300799  # 9999-12-31T23:59:59Z: every instant has the same width
_URGENT_LONGEST = 24 * 3600  # Regulation (EU) 2024/1689, Article 5(3): sought within 24 hours
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")
_CASE = re.compile(r"[ -~]{0,255}")
_NAME = re.compile(r"\*|[a-z0-9][A-Za-z0-9._/-]{0,254}")
_SCOPE = ("actions", "purposes", "collections")

_REGISTRIES = {
    kind: jws.JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
    for kind, algorithms in ALGORITHMS.items()
}

Problem = Callable[[str], InvalidArgument]


def token_type(kind: str) -> str:
    """The `typ` in a token's header, by which one kind never passes for another (RFC 8725, 3.11)."""
    return f"beholden-{kind}+jwt"


def evidence(
    metadata: Metadata,
    authorities: Authorities,
    *,
    tenant: str,
    audience: str,
    now: float,
    leeway: int = 0,
) -> dict[str, Json]:
    """What was shown and holds, by its kind, without the tokens; `now` in Unix seconds.

    Raises InvalidArgument (reason EVIDENCE_INVALID) naming the metadata key and what is wrong, in
    words that quote nothing of the token.
    """
    found: dict[str, Json] = {}
    for kind in KINDS:
        key = f"beholden-{kind}"
        if key not in metadata:
            continue

        def wrong(problem: str, key: str = key) -> InvalidArgument:
            return InvalidArgument(key, problem, reason="EVIDENCE_INVALID")

        claims = _verified(metadata[key], kind, authorities, wrong)
        authority = authorities.issuers[claims["iss"]]
        if claims.get("aud") not in (audience, [audience]):
            raise wrong("is for another installation: its aud is not the one here")
        if claims.get("sub") != tenant:
            raise wrong("is for another tenant: its sub is not the caller's")
        begin, end = _validity(claims, authority, now, leeway, wrong)
        fact = _fact(claims, kind, wrong) | {"issued": _instant(begin), "expires": _instant(end)}
        if (claims["iss"], fact["id"]) in authorities.revoked:
            raise wrong("is revoked")
        if fact["urgent"] and end - begin > _URGENT_LONGEST:
            raise wrong("is urgent and good for more than 24 hours; it must not be both")
        found[kind] = fact
    return found


def _verified(
    values: tuple[str | bytes, ...], kind: str, authorities: Authorities, wrong: Problem
) -> dict[str, Any]:
    """The claims, once the signature is one of their issuer's."""
    if len(values) != 1:
        raise wrong("must be sent once")
    token = values[0]
    if not isinstance(token, str) or len(token) > _MOST_BYTES:
        raise wrong(f"must be a signed JSON Web Token of at most {_MOST_BYTES} bytes")
    try:
        unchecked = jws.extract_compact(token.encode("ascii"))
        header, issuer = unchecked.headers(), json.loads(unchecked.payload)["iss"]
    except Exception:  # noqa: BLE001 - whatever bytes from outside trip over, they are no token
        raise wrong("is no signed JSON Web Token") from None
    if str(header.get("typ", "")).lower() != token_type(kind):
        raise wrong(f"is another kind of token: its typ must be {token_type(kind)}")
    authority = authorities.issuers.get(issuer) if isinstance(issuer, str) else None
    if authority is None or kind not in authority.issues:
        raise wrong(f"is not from an issuer that the law names for a {kind}")
    key = _chosen(authority, header.get("kid"))
    if key is None:
        raise wrong("is signed with a key that its issuer is not known to have")
    try:
        return dict(jwt.decode(token, key, registry=_REGISTRIES[key.key_type]).claims)
    except Exception:  # noqa: BLE001 - whatever a forged token trips over, it is not believed
        raise wrong("has a signature or an algorithm that is not right for its issuer") from None


def _chosen(authority: Authority, kid: object) -> Key | None:
    if kid is None and len(authority.keys) == 1:
        return next(iter(authority.keys.values()))
    return authority.keys.get(kid) if isinstance(kid, str) else None


def _validity(
    claims: Mapping[str, Any], authority: Authority, now: float, leeway: int, wrong: Problem
) -> tuple[int, int]:
    """From and until when, in Unix seconds."""
    begin: Any = claims.get("nbf", claims.get("iat"))
    end: Any = claims.get("exp")
    for instant in (begin, end):
        if type(instant) is not int or not 0 <= instant <= _LATEST:
            raise wrong("must have nbf (or iat) and exp, in whole seconds")
    if end <= begin or end - begin > authority.longest:
        days = authority.longest // (24 * 3600)
        raise wrong(f"must be good for some time, and at most the {days} days of its issuer")
    if now < begin - leeway:
        raise wrong("is not yet valid")
    if now >= end + leeway:
        raise wrong("has expired")
    return begin, end


def _fact(claims: Mapping[str, Any], kind: str, wrong: Problem) -> dict[str, Any]:
    """What the law is told, each part in its form."""
    scope = claims.get("scope")
    if not isinstance(scope, dict) or scope.keys() - {*_SCOPE, "offences", "case"}:
        raise wrong(f"must have a scope of {', '.join(_SCOPE)}, offences and case")
    offences = scope.get("offences", [])
    lists = {name: scope.get(name) for name in _SCOPE} | {"offences": offences}
    for name, listed in lists.items():
        least = 0 if name == "offences" else 1
        if not isinstance(listed, list) or not least <= len(listed) <= _MOST_LISTED:
            raise wrong(f"must list scope.{name}, {least} to {_MOST_LISTED} of them")
        if not all(isinstance(one, str) and _NAME.fullmatch(one) for one in listed):
            raise wrong(f"must list names in scope.{name}, or *")
    case, urgent, jti = scope.get("case", ""), claims.get("urgent", False), claims.get("jti")
    if not isinstance(case, str) or not _CASE.fullmatch(case):
        raise wrong("must have a scope.case of printable ASCII, or none")
    if not isinstance(urgent, bool):
        raise wrong("must say true or false where it says urgent")
    if not isinstance(jti, str) or not _ID.fullmatch(jti):
        raise wrong("must have a jti of at most 128 letters, digits and ._:/-")
    return {"id": jti, "issuer": claims["iss"], **lists, "case": case, "urgent": urgent}


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
