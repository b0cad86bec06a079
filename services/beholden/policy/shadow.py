"""A candidate law beside the one in force, on live calls: what it would change, and nothing of it done."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import asdict

from opentelemetry.metrics import Meter

from beholden.core.errors import BeholdenError
from beholden.core.law import Decision, Difference, Facts, ShadowStatus
from beholden.policy.comparison import Findings, Group, compare
from beholden.policy.rego import RegoEngine

SAME, DROPPED, FAILED = "same", "dropped", "failed"

_WAITING = 256

_log = logging.getLogger(__name__)


class LawShadow:
    """Implements `core.ports.Shadow` over an engine of its own, one decision after another.

    A candidate that is edited starts its count anew. Each decision is counted for OpenTelemetry by its
    action and by what would change.
    """

    def __init__(self, engine: RegoEngine, meter: Meter) -> None:
        self._engine = engine
        self._counter = meter.create_counter(
            "beholden.shadow.decisions", "{decision}", "What a candidate law would have changed."
        )
        self._waiting: asyncio.Queue[tuple[str, Facts, Decision]] = asyncio.Queue(_WAITING)
        self._begin("")
        self._task = asyncio.create_task(self._compare_all())

    def offer(self, decision_id: str, facts: Facts, decision: Decision) -> None:
        """See `core.ports.Shadow.offer`."""
        if not self._engine.loaded:
            return
        try:
            self._waiting.put_nowait((decision_id, facts, decision))
        except asyncio.QueueFull:
            self._dropped += 1
            self._count(DROPPED, facts)

    def status(self) -> ShadowStatus:
        """See `core.ports.Shadow.status`; the most frequent differences first."""
        found = self._found
        return ShadowStatus(
            revision=self._revision,
            since_ns=self._since_ns,
            compared=found.replayed,
            dropped=self._dropped,
            failed=self._failed,
            differences=tuple(
                Difference(
                    group.change,
                    group.tenant,
                    group.action,
                    group.laws,
                    count,
                    tuple(found.examples[group]),
                )
                for group, count in found.changed.most_common()
            ),
            problem=self._engine.problem,
        )

    async def close(self) -> None:
        """See `core.ports.Shadow.close`."""
        self._task.cancel()
        await asyncio.wait([self._task])
        await self._engine.close()

    def _begin(self, revision: str) -> None:
        self._revision = revision
        self._since_ns = time.time_ns()
        self._found = Findings()
        self._dropped = self._failed = 0

    async def _compare_all(self) -> None:
        while True:
            decision_id, facts, decision = await self._waiting.get()
            try:
                would = await self._engine.decide(facts)
                if would.revision != self._revision:
                    self._begin(would.revision)
                self._note(decision_id, facts, decision, would)
            except Exception as error:  # noqa: BLE001 - whatever it trips over, nobody else may
                if not isinstance(error, BeholdenError):
                    _log.error("the candidate law failed: %r", error)
                self._failed += 1
                self._count(FAILED, facts)

    def _note(self, decision_id: str, facts: Facts, decision: Decision, would: Decision) -> None:
        self._found.replayed += 1
        change = compare(asdict(decision), would)
        self._count(change[0] if change else SAME, facts)
        if change is not None:
            tenant = facts.get("tenant")
            who = str(tenant.get("id", "")) if isinstance(tenant, dict) else ""
            group = Group(change[0], who, str(facts.get("action", "")), change[1])
            self._found.note(group, [decision_id])

    def _count(self, change: str, facts: Facts) -> None:
        self._counter.add(1, {"action": str(facts.get("action", "")), "change": change})
