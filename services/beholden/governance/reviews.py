"""Who may see and judge an answer that waits for review, and when its requester gets it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from beholden.core.caller import Caller
from beholden.core.errors import Denied, FailedPrecondition, NotFound
from beholden.core.gallery import Page
from beholden.core.ports import Ledger, PolicyEngine, Reviews
from beholden.core.record import DECISION
from beholden.core.review import REVIEWER, HeldAnswer, Opinion, Review, ReviewState, refused

_PAGE = 100


class ReviewPipeline:
    """`clock` is Unix time in nanoseconds."""

    def __init__(
        self,
        reviews: Reviews,
        policy: PolicyEngine,
        ledger: Ledger,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._reviews = reviews
        self._policy = policy
        self._ledger = ledger
        self._clock = clock

    async def list(
        self, caller: Caller, page_size: int, page_token: str, *, pending_only: bool
    ) -> Page[Review]:
        """All of the tenant's for a reviewer, their own for others. Raises InvalidArgument (page token)."""
        return await self._reviews.list(
            caller.tenant,
            requester="" if _reviews(caller) else caller.principal,
            pending_only=pending_only,
            page_size=page_size or _PAGE,
            page_token=page_token,
        )

    async def get(self, caller: Caller, id: str) -> tuple[Review, HeldAnswer | None, Sequence[int]]:
        """The review, the answer where the caller may see it, and which candidates of it, from 1.

        Raises NotFound (also for somebody else's), Denied where the law would no longer allow what
        was asked.
        """
        review = await self._reviews.get(caller.tenant, id)
        if review.requester == caller.principal:
            if review.state is not ReviewState.CONFIRMED:
                return review, None, ()
            await self._ask_again(caller, review)
            answer = await self._reviews.answer(caller.tenant, id)
            await self._reviews.fetched(caller.tenant, id)
            return review, answer, review.confirmed()
        if not _reviews(caller):
            raise NotFound(f"reviews/{id}")
        if review.state is not ReviewState.PENDING:
            return review, None, ()
        answer = await self._reviews.answer(caller.tenant, id)
        return review, answer, range(1, review.candidates + 1)

    async def resolve(
        self, caller: Caller, id: str, confirmed: Sequence[int] | None, reason: str
    ) -> Review:
        """Adds the caller's opinion; None confirms all candidates, no number at all rejects them.

        Raises NotFound, Denied, FailedPrecondition, InvalidArgument.
        """
        if not _reviews(caller):
            raise refused("ROLE_REQUIRED", "", f"This wants the role {REVIEWER} in the token.")
        if confirmed is None:
            review = await self._reviews.get(caller.tenant, id)
            confirmed = range(1, review.candidates + 1)
        opinion = Opinion(caller.principal, self._clock(), tuple(confirmed), reason)
        return await self._reviews.judge(caller.tenant, id, opinion)

    async def _ask_again(self, caller: Caller, review: Review) -> None:
        """What was allowed when it was asked may be forbidden by the time that people have looked."""
        entries = await self._ledger.get(review.tenant, review.id)
        asked = next((one.record for one in entries if one.record.kind == DECISION), None)
        facts = asked.body.get("facts") if asked else None
        if not isinstance(facts, dict):
            raise FailedPrecondition(f"the ledger does not hold the decision {review.id}")
        decision = await self._policy.decide({**facts, "time": caller.facts["time"]})
        if not decision.allowed:
            raise Denied(decision)


def _reviews(caller: Caller) -> bool:
    return REVIEWER in caller.roles
