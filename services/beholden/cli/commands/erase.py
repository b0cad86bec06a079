"""`beholden erase`: removes what is kept of a human being, and shows that it is gone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from beholden.cli import pictures
from beholden.cli.options import MinSimilarity
from beholden.cli.output import as_document, table
from beholden.cli.session import Session, session
from beholden.cli.words import counted, safe, score
from beholden.v1 import search_pb2, search_pb2_grpc


def erase(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    picture: Annotated[
        Path | None,
        typer.Argument(help="Whose largest face is the subject's; - reads standard input."),
    ] = None,
    person: Annotated[str, typer.Option(help="The person's id.")] = "",
    external_id: Annotated[str, typer.Option(help="Your own name for them.")] = "",
    consent_id: Annotated[str, typer.Option(help="The consent that they gave.")] = "",
    min_similarity: MinSimilarity = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Erase a human being from every collection: by person, name, consent, or PICTURE."""
    if sum((picture is not None, bool(person), bool(external_id), bool(consent_id))) != 1:
        raise typer.BadParameter(
            "give one of PICTURE, --person, --external-id, --consent-id", param_hint="PICTURE"
        )
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    if picture is not None:
        _by_picture(here, stub, picture, min_similarity, dry_run=dry_run, yes=yes)
        return
    request = search_pb2.EraseSubjectRequest(
        person_id=person or None,
        external_image_id=external_id or None,
        consent_id=consent_id or None,
        validate_only=True,
    )
    if not yes or dry_run:
        there = here.client.call(stub.EraseSubject, request)
        if dry_run:
            here.output.document(as_document(there.message, decision_id=there.decision_id))
        _show(here, there.message.collections, there.message.collection_count, "would go from")
        if dry_run or not there.message.collections:
            return
        here.output.confirm("Erase them for good?", yes)
    request.validate_only = False
    gone = here.client.call(stub.EraseSubject, request)
    here.output.document(as_document(gone.message, decision_id=gone.decision_id))
    _show(here, gone.message.collections, gone.message.collection_count, "erased from")


def _by_picture(
    here: Session,
    stub: search_pb2_grpc.SearchServiceStub,
    picture: Path,
    min_similarity: float | None,
    *,
    dry_run: bool,
    yes: bool,
) -> None:
    request = search_pb2.EraseSubjectByImageRequest(
        image=pictures.read(picture), min_similarity=min_similarity
    )
    there = here.client.call(stub.EraseSubjectByImage, request)
    found = there.message
    here.output.document(as_document(found, decision_id=there.decision_id))
    if found.matches:
        here.output.show(_matches(found.matches))
    _show(here, found.collections, found.collection_count, "would go from")
    if found.unsearched_collections:
        names = ", ".join(found.unsearched_collections)
        here.output.show(f"[yellow]not searched[/], made with another model: {safe(names)}")
    if dry_run or not found.matches:
        return
    here.output.confirm("Erase them for good?", yes)
    request.etag = found.etag
    gone = here.client.call(stub.EraseSubjectByImage, request)
    here.output.document(as_document(gone.message, decision_id=gone.decision_id))
    _show(here, gone.message.collections, gone.message.collection_count, "erased from")


def _show(
    here: Session, found: Iterable[search_pb2.CollectionErasure], looked: int, what: str
) -> None:
    shown = table("collection", ">theirs before", ">after", ">all before", ">after", "people")
    faces = places = 0
    for one in found:
        faces += one.subject_faces_before
        places += 1
        shown.add_row(
            one.collection.removeprefix("collections/"),
            str(one.subject_faces_before),
            str(one.subject_faces_after),
            str(one.face_count_before),
            str(one.face_count_after),
            safe(", ".join(name.rpartition("/")[2] for name in one.people)),
        )
    if places:
        here.output.show(shown)
    here.output.show(f"{counted(faces, 'face')} {what} {places} of {counted(looked, 'collection')}")


def _matches(found: Iterable[search_pb2.MatchingFaces]) -> Table:
    shown = table(">similarity", "collection", "external id", "=face")
    for place in found:
        for one in place.candidates:
            shown.add_row(
                score(one.similarity),
                place.collection.removeprefix("collections/"),
                safe(one.face.external_image_id),
                one.face.name.rpartition("/")[2],
            )
    return shown
