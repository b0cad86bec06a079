"""`beholden faces`: the faces enrolled in a collection."""

from __future__ import annotations

from typing import Annotated

import typer

from beholden.cli.options import Collection
from beholden.cli.output import as_document, table
from beholden.cli.session import session
from beholden.cli.words import counted, safe, when
from beholden.v1 import search_pb2, search_pb2_grpc

_MOST_AT_ONCE = 1000


def show_all(context: typer.Context, collection: Collection) -> None:
    """List the faces of a collection."""
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    shown = table("=face", "external id", "source", "enrolled by", "at")
    request = search_pb2.ListFacesRequest(parent=f"collections/{collection}", page_size=1000)
    for page in here.client.pages(stub.ListFaces, request):
        for face in page.faces:
            here.output.document(as_document(face))
            shown.add_row(
                face.name.rpartition("/")[2],
                safe(face.external_image_id),
                safe(face.provenance.source),
                safe(face.enrolled_by),
                when(face.create_time),
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
    for start in range(0, len(faces), _MOST_AT_ONCE):
        names = [f"{parent}/faces/{face}" for face in faces[start : start + _MOST_AT_ONCE]]
        answer = here.client.call(
            stub.DeleteFaces, search_pb2.DeleteFacesRequest(parent=parent, names=names)
        )
        here.output.document(as_document(answer.message, decision_id=answer.decision_id))
        gone += len(answer.message.deleted_names)
        missing += len(answer.message.missing_names)
    absent = f", {missing} were not there" if missing else ""
    here.output.show(f"deleted {counted(gone, 'face')}{absent}")
