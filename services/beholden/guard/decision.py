"""Asks the law."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from beholden.core.errors import BeholdenError, Unavailable
from beholden.core.law import Decision, Facts, Reason
from beholden.core.ports import PolicyEngine, Shadow
from beholden.guard.call import Answer, Call, Next
from beholden.guard.ids import decision_id
from beholden.guard.obligations import CannotKeep, Duties, duties

_log = logging.getLogger(__name__)


class Asking:
    """Sets the call's decision, its id and its duties. `clock` is Unix time in nanoseconds.

    A refusal goes on to the ledger, which writes it down and lets nothing past.
    """

    def __init__(
        self,
        policy: PolicyEngine,
        clock: Callable[[], int],
        *,
        reviews: bool = False,
        notifies: bool = False,
        shadow: Shadow | None = None,
    ) -> None:
        """`reviews`: answers can be kept until people have looked; `notifies`: notices are delivered."""
        self._policy = policy
        self._reviews = reviews
        self._notifies = notifies
        self._shadow = shadow
        self._clock = clock

    async def __call__(self, call: Call, proceed: Next) -> Answer:
        """Raises Unavailable when no decision could be had."""
        decision = await decide(self._policy, call.facts)
        call.decision_id = decision_id(self._clock())
        if self._shadow is not None:
            self._shadow.offer(call.decision_id, call.facts, decision)
        call.reviewable = self._reviews and call.method.reviewable
        call.decision, call.duties = binding(
            decision, now_ns=self._clock(), reviewable=call.reviewable, notifies=self._notifies
        )
        return await proceed(call)


async def decide(policy: PolicyEngine, facts: Facts) -> Decision:
    """What the law says; anything else that an engine does is Unavailable, whatever it raises."""
    try:
        decision = await policy.decide(facts)
    except BeholdenError:
        raise
    except Exception as error:
        _log.exception("the policy engine failed")
        raise Unavailable("policy", "no decision could be made") from error
    if not isinstance(decision, Decision) or not isinstance(decision.allowed, bool):
        raise Unavailable("policy", "no decision could be made")
    return decision


def binding(
    decision: Decision, *, now_ns: int, reviewable: bool = False, notifies: bool = False
) -> tuple[Decision, Duties]:
    """The decision with its duties; a denial instead where one of them cannot be kept here."""
    if not decision.allowed:
        return decision, Duties()
    try:
        return decision, duties(
            decision.obligations, now_ns=now_ns, reviewable=reviewable, notifies=notifies
        )
    except CannotKeep as problem:
        reason = Reason("UNKNOWN_OBLIGATION", problem.obligation.law, str(problem))
        return replace(decision, allowed=False, reasons=(reason,)), Duties()
