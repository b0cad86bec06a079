"""Finds out who calls: the token says who, the registry what the tenant is."""

from __future__ import annotations

from beholden.core.errors import Unauthenticated
from beholden.guard.call import Answer, Call, Metadata, Next, Tenants
from beholden.guard.keys import Keys, read_keys
from beholden.guard.published_keys import PublishedKeys, fetch_from
from beholden.guard.settings import IdentitySettings
from beholden.guard.tokens import Verifier

_SCHEME = "bearer "


class Identity:
    """Sets the call's principal and its tenant's record."""

    def __init__(self, verifier: Verifier, tenants: Tenants) -> None:
        self._verifier = verifier
        self._tenants = tenants

    async def __call__(self, call: Call, proceed: Next) -> Answer:
        """Raises Unauthenticated: no token, one that is not right, a tenant that is not registered."""
        call.principal = await self._verifier.verify(bearer(call.metadata))
        record = self._tenants.get(call.principal.tenant)
        if record is None:
            raise Unauthenticated("the token's tenant is not registered", reason="TENANT_UNKNOWN")
        call.tenant = {**record, "id": call.principal.tenant}
        return await proceed(call)


def bearer(metadata: Metadata) -> str:
    """The token in `authorization: Bearer ...` (RFC 6750, 2.1). Raises Unauthenticated."""
    match metadata.get("authorization", ()):
        case ():
            raise Unauthenticated(
                "no token was sent; send the metadata authorization: Bearer TOKEN",
                reason="TOKEN_MISSING",
            )
        case (str(value),) if value[: len(_SCHEME)].lower() == _SCHEME:
            return value[len(_SCHEME) :].strip()
    raise Unauthenticated("authorization must be sent once, as Bearer TOKEN")


def open_keys(settings: IdentitySettings) -> Keys:
    """The keys that the settings name. Raises FailedPrecondition for a key file that does not do."""
    if not settings.jwks_url:
        return read_keys(settings.key_file)
    return PublishedKeys(
        fetch_from(settings.jwks_url),
        refresh=settings.jwks_refresh,
        interval=settings.jwks_interval,
        stale=settings.jwks_stale,
    )
