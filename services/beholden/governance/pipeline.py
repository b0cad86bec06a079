"""What the law would say, which law is in force, and what the ledger holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from beholden.core.caller import Caller
from beholden.core.errors import Unavailable
from beholden.core.gallery import Page
from beholden.core.law import Decision, Explanation, Json, PolicyStatus, ShadowStatus
from beholden.core.ports import Ledger, PolicyEngine, Shadow
from beholden.core.record import Entry, Verification

OPERATOR = "operator"
"""The role whose holder sees what concerns every tenant."""

_PAGE = 100
_TRIES = 3


class GovernancePipeline:
    """Reads the policy engine and the ledger; changes neither."""

    def __init__(self, policy: PolicyEngine, ledger: Ledger, shadow: Shadow | None = None) -> None:
        self._policy = policy
        self._ledger = ledger
        self._shadow = shadow

    async def explain(
        self, caller: Caller, action: str, request: Mapping[str, Json]
    ) -> tuple[Decision, Explanation]:
        """The decision on the caller's own circumstances, with another action and request in them.

        The explanation is of the same law. Raises Unavailable where that changes all the time.
        """
        facts = {**caller.facts, "action": action, "request": request}
        for _ in range(_TRIES):
            decision = await self._policy.decide(facts)
            explanation = await self._policy.explain(facts)
            if explanation.revision == decision.revision:
                return decision, explanation
        raise Unavailable("policy", "the law is changing")

    async def status(self) -> PolicyStatus:
        """Which law is in force."""
        return await self._policy.status()

    def shadow(self, caller: Caller) -> ShadowStatus | None:
        """What a candidate law would change for the caller's tenant, for an operator for all of them."""
        if self._shadow is None:
            return None
        status = self._shadow.status()
        if OPERATOR in caller.roles:
            return status
        own = tuple(one for one in status.differences if one.tenant == caller.tenant)
        return replace(status, differences=own)

    async def decisions(
        self, tenant: str, page_size: int, page_token: str, *, denied_only: bool
    ) -> Page[Entry]:
        """The tenant's records, newest first. Raises InvalidArgument (page token)."""
        return await self._ledger.list(
            tenant,
            page_size=page_size or _PAGE,
            page_token=page_token,
            denied_only=denied_only,
        )

    async def verify(self) -> Verification:
        """Reads every chain."""
        return await self._ledger.verify()
