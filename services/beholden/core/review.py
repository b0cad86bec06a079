"""Human review: what waits for people, what they say of it, and what follows from that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from beholden.core.errors import Denied, FailedPrecondition, InvalidArgument
from beholden.core.law import Decision, Reason

REVIEWER = "reviewer"
"""The role, in the caller's token, of those who review."""


class ReviewState(StrEnum):
    """Where a review stands."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one reviewer said: the numbers of the candidates confirmed, from 1; none rejects them all."""

    reviewer: str
    time_ns: int
    confirmed: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class HeldAnswer:
    """The withheld answer: a message of `type` (full proto name), its candidates in the list `candidates`."""

    type: str
    candidates: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Review:
    """One answer that waits. `id` is that of the decision which asked for it.

    `reviewers` distinct people must confirm a candidate; `candidates` counts them; `media` are the
    SHA-256 digests of the request's pictures; times are Unix nanoseconds. `rests_on` are issuer and id
    of the evidence that the answer was given on: once one is revoked, the answer is deleted.
    """

    id: str
    tenant: str
    requester: str
    action: str
    purpose: str
    case: str
    law: str
    reviewers: int
    candidates: int
    media: tuple[str, ...]
    created_ns: int
    expires_ns: int = 0
    rests_on: tuple[tuple[str, str], ...] = ()
    state: ReviewState = ReviewState.PENDING
    opinions: tuple[Opinion, ...] = ()

    def confirmed(self) -> tuple[int, ...]:
        """The candidates that everybody who spoke confirmed, by number."""
        if not self.opinions:
            return ()
        kept = set(range(1, self.candidates + 1)).intersection(
            *(opinion.confirmed for opinion in self.opinions)
        )
        return tuple(sorted(kept))


def judged(review: Review, opinion: Opinion) -> Review:
    """The review after one more opinion.

    It is rejected as soon as no candidate can be confirmed any more, and confirmed once enough
    reviewers have spoken. Raises Denied for the requester's own opinion, FailedPrecondition for a
    second opinion or a review that is over, InvalidArgument for candidates that are not there.
    """
    if opinion.reviewer == review.requester:
        raise refused(
            "REVIEW_BY_REQUESTER", review.law, "Who asked for the answer cannot review it."
        )
    if review.state is not ReviewState.PENDING:
        raise FailedPrecondition(f"the review is {review.state}")
    if any(one.reviewer == opinion.reviewer for one in review.opinions):
        raise FailedPrecondition(
            "this reviewer has given an opinion", remedy="another reviewer must give the next"
        )
    _check_numbers(opinion.confirmed, review.candidates)
    after = replace(review, opinions=(*review.opinions, opinion))
    if not after.confirmed():
        return replace(after, state=ReviewState.REJECTED)
    if len(after.opinions) >= review.reviewers:
        return replace(after, state=ReviewState.CONFIRMED)
    return after


def refused(code: str, law: str, message: str) -> Denied:
    """A refusal that the law's engine need not be asked for."""
    return Denied(Decision(False, "", (Reason(code, law, message),)))


def _check_numbers(numbers: Sequence[int], candidates: int) -> None:
    if len(set(numbers)) != len(numbers):
        raise InvalidArgument("candidates", "must not name a candidate twice")
    if any(not 1 <= number <= candidates for number in numbers):
        raise InvalidArgument("candidates", f"must be numbers from 1 to {candidates}")
