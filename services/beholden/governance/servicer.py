"""GovernanceService on the wire: translates, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct, Value

from beholden.core.caller import caller
from beholden.core.errors import InvalidArgument
from beholden.core.law import Decision
from beholden.governance.pipeline import GovernancePipeline
from beholden.governance.reviews import ReviewPipeline
from beholden.v1 import governance_pb2, governance_pb2_grpc, review_pb2
from beholden.wire.gallery import timestamp
from beholden.wire.ledger import ledger_record, verification
from beholden.wire.policy import shadow_status
from beholden.wire.reviews import NAME, answer_message, review_message

M = TypeVar("M", Struct, Value)


class GovernanceServicer(governance_pb2_grpc.GovernanceServiceServicer):
    """See protos/beholden/v1/governance.proto."""

    def __init__(self, pipeline: GovernancePipeline, reviews: ReviewPipeline) -> None:
        self._pipeline = pipeline
        self._reviews = reviews

    async def ExplainAccess(
        self, request: governance_pb2.ExplainAccessRequest, context: Any
    ) -> governance_pb2.ExplainAccessResponse:
        """Says what the law would answer."""
        decision, behind = await self._pipeline.explain(
            caller(), request.action, MessageToDict(request.request)
        )
        return governance_pb2.ExplainAccessResponse(
            decision=_decision(decision),
            restrictions=[
                governance_pb2.MatchingRestriction(
                    law=one.law, message=one.message, lifted_by=one.lifted_by
                )
                for one in behind.restrictions
            ],
            exemptions=[
                governance_pb2.ConcerningExemption(
                    law=one.law, message=one.message, lifts=one.lifts, lacking=one.lacking
                )
                for one in behind.exemptions
            ],
        )

    async def GetPolicyStatus(
        self, request: governance_pb2.GetPolicyStatusRequest, context: Any
    ) -> governance_pb2.GetPolicyStatusResponse:
        """Says which law is in force."""
        status = await self._pipeline.status()
        return governance_pb2.GetPolicyStatusResponse(
            engine=status.engine,
            revision=status.revision,
            load_time=timestamp(status.loaded_ns),
            healthy=status.healthy,
            detail=status.detail,
            problem=status.problem,
            shadow=shadow_status(shadow) if (shadow := self._pipeline.shadow(caller())) else None,
        )

    async def ListDecisions(
        self, request: governance_pb2.ListDecisionsRequest, context: Any
    ) -> governance_pb2.ListDecisionsResponse:
        """Lists the caller's tenant's records."""
        page = await self._pipeline.decisions(
            caller().tenant,
            request.page_size,
            request.page_token,
            denied_only=request.denied_only,
        )
        return governance_pb2.ListDecisionsResponse(
            records=map(ledger_record, page.items), next_page_token=page.next_token
        )

    async def VerifyLedger(
        self, request: governance_pb2.VerifyLedgerRequest, context: Any
    ) -> governance_pb2.VerifyLedgerResponse:
        """Says whether the chain holds."""
        return verification(await self._pipeline.verify())

    async def ListReviews(
        self, request: review_pb2.ListReviewsRequest, context: Any
    ) -> review_pb2.ListReviewsResponse:
        """Lists the reviews that the caller may know of."""
        page = await self._reviews.list(
            caller(), request.page_size, request.page_token, pending_only=request.pending_only
        )
        return review_pb2.ListReviewsResponse(
            reviews=map(review_message, page.items), next_page_token=page.next_token
        )

    async def GetReview(
        self, request: review_pb2.GetReviewRequest, context: Any
    ) -> review_pb2.GetReviewResponse:
        """Shows a review, with what the caller may see of its answer."""
        review, answer, numbers = await self._reviews.get(caller(), request.name.removeprefix(NAME))
        return review_pb2.GetReviewResponse(
            review=review_message(review),
            answer=answer_message(answer, numbers) if answer else None,
        )

    async def ResolveReview(
        self, request: review_pb2.ResolveReviewRequest, context: Any
    ) -> review_pb2.ResolveReviewResponse:
        """Takes a reviewer's opinion."""
        review = await self._reviews.resolve(
            caller(), request.name.removeprefix(NAME), _confirmed(request), request.reason
        )
        return review_pb2.ResolveReviewResponse(review=review_message(review))


def _decision(decision: Decision) -> governance_pb2.PolicyDecision:
    return governance_pb2.PolicyDecision(
        allowed=decision.allowed,
        reasons=[
            governance_pb2.DenialReason(
                code=reason.code,
                law=reason.law,
                message=reason.message,
                since=reason.since,
                until=reason.until,
                lifted_by=reason.lifted_by,
            )
            for reason in decision.reasons
        ],
        obligations=[
            governance_pb2.PolicyObligation(
                kind=duty.kind, value=_json(duty.value, Value()), law=duty.law
            )
            for duty in decision.obligations
        ],
        exemptions=decision.exemptions,
        advice=decision.advice,
        answered_rules=decision.answered,
        revision=decision.revision,
    )


def _confirmed(request: review_pb2.ResolveReviewRequest) -> Sequence[int] | None:
    if request.verdict == review_pb2.REVIEW_VERDICT_CONFIRM:
        return tuple(request.candidates) or None
    if request.candidates:
        raise InvalidArgument("candidates", "must be empty where all are rejected")
    return ()


def _json(value: Any, message: M) -> M:
    return ParseDict(value, message)
