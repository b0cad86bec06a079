"""Withholds an answer that people must look at first, and names the review instead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from beholden.core.errors import Unavailable
from beholden.core.law import Facts
from beholden.core.ports import Reviews
from beholden.core.review import HeldAnswer, Review
from beholden.guard.call import Answer, Call, Next
from beholden.guard.fields import AnnotationError, annotated
from beholden.v1 import image_pb2

_MODEL = image_pb2.ModelVersion.DESCRIPTOR


@dataclass(frozen=True, slots=True)
class ReviewPlan:
    """The fields of a response type that name its review, and that hold its candidates."""

    name: str
    candidates: str


class Withholding:
    """Keeps candidates back, all else in the answer with them, while reviewers are owed a look.

    Where nothing was found there is nothing to review. `clock` is Unix time in nanoseconds.
    """

    def __init__(self, reviews: Reviews | None, clock: Callable[[], int]) -> None:
        self._reviews = reviews
        self._clock = clock

    async def __call__(self, call: Call, proceed: Next) -> Answer:
        """Raises Unavailable when the answer cannot be kept."""
        response = await proceed(call)
        if response is not None and call.duties.reviewers:
            await self._withhold(call, response)
        return response

    async def _withhold(self, call: Call, response: Message) -> None:
        plan = call.method.duties.review
        if plan is None or self._reviews is None:
            raise Unavailable("reviews", "this answer cannot wait for review")
        candidates = len(getattr(response, plan.candidates))
        if not candidates:
            return
        review = Review(
            id=call.decision_id,
            tenant=call.principal.tenant,
            requester=call.principal.id,
            action=call.method.action,
            purpose=str(call.facts.get("purpose", "")),
            case=str(call.facts.get("case", "")),
            law=call.duties.review_law,
            reviewers=call.duties.reviewers,
            candidates=candidates,
            media=call.media,
            created_ns=self._clock(),
            expires_ns=call.duties.delete_by_ns or 0,
            rests_on=_evidence(call.facts),
        )
        content = response.SerializeToString()
        held = HeldAnswer(response.DESCRIPTOR.full_name, plan.candidates, content)
        await self._reviews.hold(review, held)
        for field in response.DESCRIPTOR.fields:
            if field.message_type is not _MODEL:
                response.ClearField(field.name)
        setattr(response, plan.name, f"reviews/{review.id}")
        call.tally.withhold({"review": candidates})


def _evidence(facts: Facts) -> tuple[tuple[str, str], ...]:
    """Issuer and id of all that was shown."""
    shown: Any = facts["evidence"]
    return tuple((str(one["issuer"]), str(one["id"])) for one in shown.values())


def compile_review(response: Descriptor) -> ReviewPlan | None:
    """The plan for a response type; None where its answers cannot wait.

    Raises AnnotationError for a review that is no text of the response's own, or without one list of
    candidates beside it.
    """
    found = annotated(response, lambda policy: policy.review)
    if not found:
        return None
    results = annotated(response, lambda policy: policy.results)
    paths: Any = (*found, *results)
    name = paths[0][-1]
    if len(paths) != 2 or any(len(path) != 1 for path in paths) or name.is_repeated:
        raise AnnotationError(f"{name.full_name}: a review wants one list of results beside it")
    if name.type != FieldDescriptor.TYPE_STRING:
        raise AnnotationError(f"{name.full_name}: a review must be a string")
    return ReviewPlan(name.name, paths[1][-1].name)
