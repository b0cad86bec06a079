"""`beholden faces`: the faces enrolled in a collection."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from beholden.cli.failures import ExitCode
from beholden.cli.options import Collection
from beholden.cli.output import as_document, table
from beholden.cli.session import session
from beholden.cli.words import counted, safe, when
from beholden.v1 import search_pb2, search_pb2_grpc

_MOST_AT_ONCE = 1000

Since = Annotated[
    datetime | None,
    typer.Option(help="A day or instant, UTC.", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
]


def show_all(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    collection: Collection,
    person: Annotated[str, typer.Option(help="Only this person's.")] = "",
    external_id: Annotated[str, typer.Option(help="Only with this name of yours.")] = "",
    source: Annotated[str, typer.Option(help="Only from this source, the whole text.")] = "",
    legal_basis: Annotated[str, typer.Option(help="Only kept for this, the whole text.")] = "",
    consent_id: Annotated[str, typer.Option(help="Only with this consent.")] = "",
    enrolled_by: Annotated[str, typer.Option(help="Only enrolled by this principal.")] = "",
    captured_since: Since = None,
    captured_before: Since = None,
    enrolled_since: Since = None,
    enrolled_before: Since = None,
    expires_before: Since = None,
) -> None:
    """List the faces of a collection, all or by what is known of their past."""
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    shown = table("=face", "external id", "source", "enrolled by", "at", "expires", "person")
    parent = f"collections/{collection}"
    request = search_pb2.ListFacesRequest(
        parent=parent,
        page_size=1000,
        filter=search_pb2.FaceFilter(
            person=f"{parent}/people/{person}" if person else "",
            external_image_id=external_id,
            source=source,
            legal_basis=legal_basis,
            consent_id=consent_id,
            enrolled_by=enrolled_by,
            capture_time=_span(captured_since, captured_before),
            create_time=_span(enrolled_since, enrolled_before),
            expire_time=_span(None, expires_before),
        ),
    )
    for page in here.client.pages(stub.ListFaces, request):
        for face in page.faces:
            here.output.document(as_document(face))
            shown.add_row(
                face.name.rpartition("/")[2],
                safe(face.external_image_id),
                safe(face.provenance.source),
                safe(face.enrolled_by),
                when(face.create_time),
                when(face.provenance.expire_time),
                safe(face.person.rpartition("/")[2]),
            )
    here.output.show(shown if shown.row_count else "no faces")


def delete(
    context: typer.Context,
    collection: Collection,
    faces: Annotated[list[str], typer.Argument(help="The faces' ids.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete faces; once it answers, no search finds them."""
    here = session(context)
    here.output.confirm(f"Delete {counted(len(faces), 'face')} from {collection}?", yes)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    parent = f"collections/{collection}"
    gone = missing = 0
    kept: list[search_pb2.AssociatedFace] = []
    for start in range(0, len(faces), _MOST_AT_ONCE):
        names = [f"{parent}/faces/{face}" for face in faces[start : start + _MOST_AT_ONCE]]
        answer = here.client.call(
            stub.DeleteFaces, search_pb2.DeleteFacesRequest(parent=parent, names=names)
        )
        here.output.document(as_document(answer.message, decision_id=answer.decision_id))
        gone += len(answer.message.deleted_names)
        missing += len(answer.message.missing_names)
        kept += answer.message.associated_faces
    absent = f", {missing} were not there" if missing else ""
    here.output.show(f"deleted {counted(gone, 'face')}{absent}")
    for one in kept:
        face, person = (name.rpartition("/")[2] for name in (one.name, one.person))
        here.output.show(
            f"[yellow]kept[/] {face}: it is {safe(person)}'s; take it from them first"
            f" (beholden people disassociate {safe(collection)} {safe(person)} {face})"
        )
    if kept:
        raise typer.Exit(ExitCode.FAILED)


def _span(since: datetime | None, before: datetime | None) -> search_pb2.TimeSpan | None:
    """UTC, as every time that is shown."""
    if since is None and before is None:
        return None
    span = search_pb2.TimeSpan()
    if since is not None:
        span.start_time.FromDatetime(since)
    if before is not None:
        span.end_time.FromDatetime(before)
    return span
