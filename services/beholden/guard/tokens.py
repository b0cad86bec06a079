"""Who a token says is calling: JSON Web Tokens, checked strictly, and minted for development."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import ExpiredTokenError, JoseError
from joserfc.jwk import Key
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

from beholden.core.errors import Unauthenticated
from beholden.guard.call import Principal
from beholden.guard.keys import ALGORITHMS, Keys

_MOST_TOKEN_BYTES = 8192
_MOST_NAME = 255
_MOST_ROLES = 64
_REMEMBERED = 1024

# Headers that are not known may be there (RFC 7515, 4), unless `crit` names them.
_FOR_KEY = {
    key_type: jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    for key_type, algorithm in ALGORITHMS.items()
}


@dataclass(frozen=True, slots=True)
class _Known:
    kid: str | None
    key: Key
    principal: Principal


class Verifier:
    """Checks tokens. `leeway` in seconds; an empty `issuer` is any; `clock` is Unix time in seconds."""

    def __init__(
        self,
        keys: Keys,
        *,
        audience: str,
        issuer: str = "",
        leeway: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        wanted: dict[str, ClaimsOption] = {
            "sub": {"essential": True},
            "exp": {"essential": True},
            "aud": {"essential": True, "value": audience},
        }
        if issuer:
            wanted["iss"] = {"essential": True, "value": issuer}
        self._claims = JWTClaimsRegistry(lambda: math.floor(clock()), leeway, **wanted)
        self._known: dict[str, _Known] = {}

    async def verify(self, token: str) -> Principal:
        """The caller. Raises Unauthenticated saying what is wrong, Unavailable when no key can be had.

        A token that was right is remembered until it expires or its key is another; from then on
        only those two are looked at.
        """
        known = self._known.get(token)
        if (
            known is not None
            and self._claims.now < known.principal.expires
            and await self._keys.find(known.kid) is known.key
        ):
            return known.principal
        if len(token) > _MOST_TOKEN_BYTES:
            raise Unauthenticated(f"the token is longer than {_MOST_TOKEN_BYTES} bytes")
        kid = _key_id(token)
        key = await self._keys.find(kid)
        claims = _signed(token, key)
        try:
            self._claims.validate(claims)
        except ExpiredTokenError:
            raise Unauthenticated("the token has expired") from None
        except JoseError as error:
            raise Unauthenticated(f"the token is not for this: {error.description}") from None
        principal = _principal(claims, claims["exp"] + self._claims.leeway)
        if len(self._known) >= _REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[token] = _Known(kid, key, principal)
        return principal


def mint(
    key: Key,
    *,
    principal: str,
    tenant: str,
    roles: Sequence[str] = (),
    audience: str = "beholden",
    issuer: str = "",
    lifetime: int = 3600,
    now: float | None = None,
) -> str:
    """A token signed with a secret or private key, good for `lifetime` seconds from `now`."""
    begin = int(time.time() if now is None else now)
    claims = {
        "sub": principal,
        "tenant": tenant,
        "roles": list(roles),
        "aud": audience,
        "iat": begin,
        "exp": begin + lifetime,
    }
    header = {"alg": ALGORITHMS[key.key_type]}
    if key.kid:
        header["kid"] = key.kid
    return jwt.encode(header, claims | ({"iss": issuer} if issuer else {}), key)


def _key_id(token: str) -> str | None:
    try:
        kid = jws.extract_compact(token.encode("ascii")).headers().get("kid")
    except Exception:  # noqa: BLE001 - whatever bytes from outside trip over, they are no token
        raise Unauthenticated("the token is no signed JSON Web Token") from None
    if kid is not None and not isinstance(kid, str):
        raise Unauthenticated("the token's kid must be a string")
    return kid


def _signed(token: str, key: Key) -> dict[str, Any]:
    try:
        return jwt.decode(token, key, registry=_FOR_KEY[key.key_type]).claims
    except Exception:  # noqa: BLE001 - whatever a forged token trips over, it is not believed
        raise Unauthenticated(
            "the token's signature or algorithm is not right for its key"
        ) from None


def _principal(claims: Mapping[str, Any], expires: float) -> Principal:
    roles = claims.get("roles", [])
    if not isinstance(roles, list) or len(roles) > _MOST_ROLES:
        raise Unauthenticated(f"the token's roles must be a list of at most {_MOST_ROLES}")
    return Principal(
        id=_name(claims.get("sub"), "sub"),
        tenant=_name(claims.get("tenant"), "tenant"),
        roles=tuple(_name(role, "roles") for role in roles),
        expires=expires,
    )


def _name(value: object, claim: str) -> str:
    if isinstance(value, str) and 0 < len(value) <= _MOST_NAME and value.isprintable():
        return value
    raise Unauthenticated(f"the token's {claim} must be 1 to {_MOST_NAME} printable characters")
