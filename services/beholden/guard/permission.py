"""Asks the law again about what outlasts its decision: streams, and the jobs that calls begin."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from beholden.core.caller import Caller
from beholden.core.errors import Denied, Unauthenticated
from beholden.core.law import Decision, Facts, Json, Reason
from beholden.core.ports import Ledger, PolicyEngine
from beholden.core.record import DECISION, Record
from beholden.guard.authorities import Authorities
from beholden.guard.call import Tenants
from beholden.guard.decision import binding, decide
from beholden.guard.facts import time_facts
from beholden.guard.obligations import Duties
from beholden.guard.recording import append, decided

T = TypeVar("T")


class Permissions:
    """Implements `core.ports.Permissions`.

    The facts are those of the call that began it, but for what may have changed since: the time, the
    records of the tenants in it, and whether its evidence still stands. `clock` is Unix time in
    nanoseconds, `interval` seconds.
    """

    def __init__(
        self,
        policy: PolicyEngine,
        ledger: Ledger,
        tenants: Tenants,
        *,
        authorities: Callable[[], Authorities],
        clock: Callable[[], int],
        interval: float,
        notifies: bool = False,
    ) -> None:
        self.policy = policy
        self.ledger = ledger
        self.clock = clock
        self.interval = interval
        self.notifies = notifies
        self._tenants = tenants
        self._authorities = authorities

    def of(
        self,
        caller: Caller,
        told: Callable[[Decision], None] | None = None,
        *,
        cannot: Callable[[Decision], Reason | None] | None = None,
    ) -> LivePermission:
        """See `core.ports.Permissions.of`."""
        hears = None if told is None else lambda decision, _: told(decision)
        return LivePermission(self, caller, told=hears, cannot=cannot)

    async def facts(self, caller: Caller) -> Facts:
        """The facts as of now. Raises Unauthenticated for a tenant that is no longer registered."""
        record = self._tenants.get(caller.tenant)
        if record is None:
            raise Unauthenticated("the tenant is no longer registered", reason="TENANT_UNKNOWN")
        facts: dict[str, Json] = {
            **caller.facts,
            "tenant": {**record, "id": caller.tenant},
            "evidence": await self._standing(caller.facts.get("evidence")),
            "time": time_facts(self.clock()),
        }
        facts.pop("client", None)
        client = str(facts.get("on_behalf_of", ""))
        if client in self._tenants:
            facts["client"] = {**self._tenants[client], "id": client}
        return facts

    async def _standing(self, evidence: Json) -> Json:
        """Without what was revoked, or signed by those who may no longer; the law looks at the dates."""
        if not isinstance(evidence, Mapping) or not evidence:
            return {}
        now = await asyncio.to_thread(self._authorities)
        return {
            kind: one
            for kind, one in evidence.items()
            if isinstance(one, Mapping)
            and (issuer := now.issuers.get(str(one.get("issuer")))) is not None
            and kind in issuer.issues
            and (one["issuer"], one.get("id")) not in now.revoked
        }


class LivePermission:
    """Implements `core.ports.Permission`.

    `decision` is the one that it began with, None where that is not known; `reviewable` says whether
    what is done with it can wait for people; `told` hears of every decision and its duties; `cannot`
    says why those of an allowed one cannot be kept.
    """

    def __init__(
        self,
        permissions: Permissions,
        caller: Caller,
        *,
        decision: Decision | None = None,
        reviewable: bool = False,
        told: Callable[[Decision, Duties], None] | None = None,
        cannot: Callable[[Decision], Reason | None] | None = None,
    ) -> None:
        self._all = permissions
        self._caller = caller
        self._decision = decision
        self._reviewable = reviewable
        self._told = told
        self._cannot = cannot
        self.delete_by_ns: int | None = None

    async def again(self) -> Decision:
        """See `core.ports.Permission.again`."""
        facts = await self._all.facts(self._caller)
        answer = await decide(self._all.policy, facts)
        decision, duties = binding(
            answer,
            now_ns=self._all.clock(),
            reviewable=self._reviewable,
            notifies=self._all.notifies,
        )
        if decision.allowed and self._cannot is not None and (why := self._cannot(decision)):
            decision, duties = replace(decision, allowed=False, reasons=(why,)), Duties()
        self.delete_by_ns = duties.delete_by_ns
        if self._told is not None:
            self._told(decision, duties)
        if decision != self._decision:
            await self._write(decision, duties, facts)
        self._decision = decision
        if not decision.allowed:
            raise Denied(decision)
        return decision

    async def hold(self, work: Callable[[], Awaitable[T]]) -> T:
        """See `core.ports.Permission.hold`."""
        if self._decision is None:
            await self.again()
        working = asyncio.ensure_future(work())
        asking = asyncio.create_task(self._keep_asking())
        try:
            await asyncio.wait((working, asking), return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                asking.result()
            return working.result()
        finally:
            working.cancel()
            asking.cancel()
            await asyncio.gather(working, asking, return_exceptions=True)

    async def _keep_asking(self) -> None:
        while True:
            assert self._decision is not None
            with suppress(TimeoutError):
                async with asyncio.timeout(self._all.interval):
                    await self._all.policy.changed(self._decision.revision)
            await self.again()

    async def _write(self, decision: Decision, duties: Duties, facts: Facts) -> None:
        caller = self._caller
        record = Record(
            id=caller.decision_id,
            kind=DECISION,
            time_ns=self._all.clock(),
            tenant=caller.tenant,
            principal=caller.principal,
            action=str(facts["action"]),
            allowed=decision.allowed,
            body=decided(decision, duties, rpc=caller.rpc, facts=facts, media=caller.media),
        )
        await append(self._all.ledger, record)
