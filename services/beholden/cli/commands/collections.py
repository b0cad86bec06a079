"""`beholden collections`: the galleries of a tenant."""

from __future__ import annotations

from typing import Annotated

import typer

from beholden.cli.options import Collection
from beholden.cli.output import as_document, table
from beholden.cli.panels import facts
from beholden.cli.session import session
from beholden.cli.words import counted, safe, when
from beholden.v1 import collection_pb2, search_pb2, search_pb2_grpc


def create(
    context: typer.Context,
    collection: Collection,
    display_name: Annotated[str, typer.Option("--name", help="A name for people.")] = "",
) -> None:
    """Make an empty collection; its embedding model stays as it is now."""
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    answer = here.client.call(
        stub.CreateCollection,
        search_pb2.CreateCollectionRequest(collection_id=collection, display_name=display_name),
    )
    made = answer.message.collection
    here.output.document(as_document(made, decision_id=answer.decision_id))
    here.output.show(f"made {made.name} · {made.model.name}@{made.model.version}")


def get(context: typer.Context, collection: Collection) -> None:
    """Show one collection."""
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    answer = here.client.call(
        stub.GetCollection, search_pb2.GetCollectionRequest(name=f"collections/{collection}")
    )
    found = answer.message.collection
    here.output.document(as_document(found, decision_id=answer.decision_id))
    here.output.show(facts(zip(_COLUMNS, _row(found), strict=True)))


def show_all(context: typer.Context) -> None:
    """List the tenant's collections."""
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    shown = table("collection", "name", ">faces", "model", "made")
    for page in here.client.pages(stub.ListCollections, search_pb2.ListCollectionsRequest()):
        for found in page.collections:
            here.output.document(as_document(found))
            shown.add_row(*_row(found))
    here.output.show(shown if shown.row_count else "no collections")


def delete(
    context: typer.Context,
    collection: Collection,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a collection and every face in it."""
    here = session(context)
    here.output.confirm(f"Delete {collection} and every face in it?", yes)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    answer = here.client.call(
        stub.DeleteCollection, search_pb2.DeleteCollectionRequest(name=f"collections/{collection}")
    )
    here.output.document(as_document(answer.message, decision_id=answer.decision_id))
    here.output.show(
        f"deleted {safe(collection)} with {counted(answer.message.deleted_face_count, 'face')}"
    )


_COLUMNS = ("collection", "name", "faces", "model", "made")


def _row(found: collection_pb2.Collection) -> tuple[str, ...]:
    return (
        found.name.removeprefix("collections/"),
        safe(found.display_name),
        str(found.face_count),
        f"{found.model.name}@{found.model.version}",
        when(found.create_time),
    )
