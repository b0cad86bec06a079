"""Reviews and withheld answers as messages."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf import descriptor_pool
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from beholden.core.review import HeldAnswer, Review
from beholden.v1 import review_pb2
from beholden.wire.gallery import timestamp

NAME = "reviews/"


def review_message(review: Review) -> review_pb2.Review:
    """A review without its candidates."""
    return review_pb2.Review(
        name=f"{NAME}{review.id}",
        state=f"REVIEW_STATE_{review.state.name}",
        requester=review.requester,
        action=review.action,
        purpose=review.purpose,
        case=review.case,
        law=review.law,
        required_reviewers=review.reviewers,
        candidate_count=review.candidates,
        opinions=[
            review_pb2.ReviewOpinion(
                reviewer=one.reviewer,
                time=timestamp(one.time_ns),
                confirmed_candidates=one.confirmed,
                reason=one.reason,
            )
            for one in review.opinions
        ],
        media_sha256=review.media,
        create_time=timestamp(review.created_ns),
        expire_time=timestamp(review.expires_ns),
    )


def answer_message(answer: HeldAnswer, numbers: Sequence[int]) -> Any:
    """The withheld answer with only those candidates, numbered from 1."""
    message = _parsed(answer)
    candidates = getattr(message, answer.candidates)
    kept = [candidates[number - 1] for number in numbers]
    copies = [type(one).FromString(one.SerializeToString()) for one in kept]
    del candidates[:]
    candidates.extend(copies)
    packed = Any()
    packed.Pack(message)
    return packed


def _parsed(answer: HeldAnswer) -> Message:
    descriptor = descriptor_pool.Default().FindMessageTypeByName(answer.type)
    message: Message = GetMessageClass(descriptor).FromString(answer.content)
    return message
