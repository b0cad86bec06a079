"""`beholden reviews`: answers that wait for people, and what people say of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from beholden.cli.failures import Failure
from beholden.cli.output import as_document, table
from beholden.cli.panels import facts
from beholden.cli.session import Session, session
from beholden.cli.words import counted, safe, score, when
from beholden.v1 import (
    embedding_pb2,
    governance_pb2_grpc,
    review_pb2,
    search_pb2,
)

_NAME = "reviews/"
_ANSWERS = (
    search_pb2.SearchFacesResponse,
    search_pb2.SearchFacesByImageResponse,
    embedding_pb2.CompareFacesResponse,
)
_COLOURS = {"pending": "yellow", "confirmed": "green", "rejected": "red"}

Review = Annotated[str, typer.Argument(help="The review, as the answer named it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it is written into the ledger.")]


def show_all(
    context: typer.Context,
    pending: Annotated[bool, typer.Option("--pending", help="Only those that wait.")] = False,
    most: Annotated[int, typer.Option("--max", min=1, help="The most reviews.")] = 20,
) -> None:
    """List your reviews; all of the tenant's where you have the role reviewer."""
    here = session(context)
    request = review_pb2.ListReviewsRequest(page_size=min(most, 1000), pending_only=pending)
    shown = table("=review", "since", "who", "action", "purpose", ">candidates", "")
    for page in here.client.pages(_stub(here).ListReviews, request):
        for review in page.reviews[: most - shown.row_count]:
            here.output.document(as_document(review))
            shown.add_row(
                review.name.removeprefix(_NAME),
                when(review.create_time),
                safe(review.requester),
                review.action,
                safe(review.purpose),
                str(review.candidate_count),
                _state(review),
            )
        if shown.row_count >= most:
            break
    here.output.show(shown if shown.row_count else "no reviews")


def show(context: typer.Context, review: Review) -> None:
    """Show a review: its candidates to reviewers, what they confirmed to whoever asked."""
    here = session(context)
    request = review_pb2.GetReviewRequest(name=_name(review))
    answer = here.client.call(_stub(here).GetReview, request)
    found = answer.message
    here.output.document(as_document(found, decision_id=answer.decision_id))
    here.output.show(_facts(found.review))
    if found.HasField("answer"):
        here.output.show(_candidates(found))
    elif found.review.state == review_pb2.REVIEW_STATE_PENDING:
        here.output.show("[dim]the candidates are withheld until reviewers have confirmed them[/]")


def confirm(
    context: typer.Context,
    review: Review,
    reason: Reason,
    candidate: Annotated[
        list[int] | None,
        typer.Option(
            "--candidate", min=1, metavar="N", help="Confirm this one, reject the rest; repeatable."
        ),
    ] = None,
) -> None:
    """Confirm all candidates of a review, or those that are named."""
    _resolve(context, review, review_pb2.REVIEW_VERDICT_CONFIRM, reason, candidate or [])


def reject(context: typer.Context, review: Review, reason: Reason) -> None:
    """Reject all candidates of a review: nobody gets to see them any more."""
    _resolve(context, review, review_pb2.REVIEW_VERDICT_REJECT, reason, [])


def pending_note(name: str, model: str) -> str:
    """What a search or comparison shows that waits for review."""
    return (
        f"[yellow]waits for review[/]: {safe(name)} · {safe(model)}\n"
        f"[dim]once it is confirmed: beholden reviews show {safe(name.removeprefix(_NAME))}[/]"
    )


def _resolve(
    context: typer.Context,
    review: str,
    verdict: review_pb2.ReviewVerdict,
    reason: str,
    candidates: list[int],
) -> None:
    here = session(context)
    request = review_pb2.ResolveReviewRequest(
        name=_name(review), verdict=verdict, reason=reason, candidates=candidates
    )
    answer = here.client.call(_stub(here).ResolveReview, request)
    found = answer.message.review
    here.output.document(as_document(found, decision_id=answer.decision_id))
    here.output.show(_facts(found))


def _name(review: str) -> str:
    return f"{_NAME}{review.removeprefix(_NAME)}"


def _stub(here: Session) -> governance_pb2_grpc.GovernanceServiceStub:
    return here.stub(governance_pb2_grpc.GovernanceServiceStub)


def _state(review: review_pb2.Review) -> str:
    word = review_pb2.ReviewState.Name(review.state).removeprefix("REVIEW_STATE_").lower()
    colour = _COLOURS.get(word, "dim")
    missing = review.required_reviewers - len(review.opinions)
    wanted = f", {missing} to speak" if word == "pending" else ""
    return f"[{colour}]{word}[/]{wanted}"


def _facts(review: review_pb2.Review) -> Table:
    shown = facts(
        [
            ("review", review.name.removeprefix(_NAME)),
            ("who", review.requester),
            ("what", f"{review.action}, {counted(review.candidate_count, 'candidate')}"),
            ("what for", review.purpose),
            ("case", review.case),
            ("law", review.law),
            ("pictures", ", ".join(review.media_sha256)),
            ("since", when(review.create_time)),
            ("deleted", when(review.expire_time)),
            *((f"{one.reviewer} says", _said(one, review)) for one in review.opinions),
        ]
    )
    shown.add_row("state", _state(review))
    return shown


def _said(opinion: review_pb2.ReviewOpinion, review: review_pb2.Review) -> str:
    confirmed = list(opinion.confirmed_candidates)
    if not confirmed:
        verdict = "none"
    elif len(confirmed) == review.candidate_count:
        verdict = "all"
    else:
        verdict = ", ".join(map(str, confirmed))
    return f"{verdict}: {opinion.reason}"


def _candidates(found: review_pb2.GetReviewResponse) -> Table:
    answer = _unpacked(found)
    kept = answer.matches if hasattr(answer, "matches") else answer.candidates
    numbers: Sequence[int] = range(1, len(kept) + 1)
    if found.review.state == review_pb2.REVIEW_STATE_CONFIRMED:
        sets = [set(one.confirmed_candidates) for one in found.review.opinions]
        numbers = sorted(set.intersection(*sets)) if sets else numbers
    shown = table(">", ">similarity", "external id", "=face")
    for number, candidate in zip(numbers, kept, strict=False):
        face = candidate.face
        shown.add_row(
            str(number),
            f"[bold]{score(candidate.similarity)}[/]",
            safe(getattr(face, "external_image_id", "")),
            safe(getattr(face, "name", "").rpartition("/")[2]),
        )
    return shown


def _unpacked(found: review_pb2.GetReviewResponse) -> Any:
    for kind in _ANSWERS:
        answer = kind()
        if found.answer.Unpack(answer):
            return answer
    raise Failure(f"this command does not know {found.answer.TypeName()}", "UNIMPLEMENTED")
