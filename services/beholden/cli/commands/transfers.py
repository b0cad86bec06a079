"""`beholden collections export`, `restore` and `copy`: whole galleries on the move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from beholden.cli.exports import Reader, Writer
from beholden.cli.options import Collection
from beholden.cli.output import as_document
from beholden.cli.session import session
from beholden.cli.words import counted, safe
from beholden.v1 import search_pb2_grpc, transfer_pb2


def export(
    context: typer.Context,
    collection: Collection,
    folder: Annotated[Path, typer.Argument(help="Where to; a new folder.")],
) -> None:
    """Write a collection to a folder: templates and all that is kept of its faces and people.

    Templates are biometric data: only you can read the folder, and it is yours to guard.
    """
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    request = transfer_pb2.ExportCollectionRequest(name=f"collections/{collection}")
    answers = here.client.answers(stub.ExportCollection, request)
    with here.output.progress(rate=True) as bar:
        found = next(answers).collection
        task = bar.add_task(f"exporting {safe(collection)}", total=found.face_count)
        model = f"{found.model.name}@{found.model.version}"
        writer = Writer(folder, collection, found.display_name, model)
        for answer in answers:
            writer.add(answer.batch)
            bar.advance(task, len(answer.batch.details))
        manifest = writer.close()
    here.output.document(
        {"folder": str(folder), "faces": manifest.faces, "people": manifest.people}
    )
    here.output.show(
        f"[bold]{counted(manifest.faces, 'face')}[/] and {counted(manifest.people, 'person', 'people')}"
        f" of {safe(collection)} in {safe(folder)} · {model} · biometric data: guard it"
    )


def restore(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="What `export` wrote.")],
    to: Annotated[
        str, typer.Option(help="The collection to restore to; the exported one's name if absent.")
    ] = "",
) -> None:
    """Bring an export back, all or, run again, what is still missing; refused where it was altered."""
    here = session(context)
    reader = Reader(folder)
    manifest = reader.manifest
    name = to or manifest.collection
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    with here.output.progress(rate=True) as bar:
        task = bar.add_task(f"restoring {safe(name)}", total=manifest.faces)

        def messages() -> Iterator[transfer_pb2.RestoreCollectionRequest]:
            yield transfer_pb2.RestoreCollectionRequest(
                start=transfer_pb2.RestoreStart(
                    name=f"collections/{name}",
                    model=manifest.model,
                    display_name=manifest.display_name,
                )
            )
            for batch in reader.batches():
                yield transfer_pb2.RestoreCollectionRequest(batch=batch)
                bar.advance(task, len(batch.details))

        answer = here.client.upload(stub.RestoreCollection, messages())
    here.output.document(as_document(answer.message, decision_id=answer.decision_id))
    counts = (answer.message.face_count, answer.message.person_count)
    here.output.show(
        f"[bold]{counted(counts[0], 'face')}[/] and {counted(counts[1], 'person', 'people')}"
        f" in {safe(name)}, as they were"
    )


def copy(
    context: typer.Context,
    collection: Collection,
    to: Annotated[str, typer.Argument(help="The copy's name.")],
) -> None:
    """Copy a collection with its faces and people; run again, it goes on where it was."""
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    answer = here.client.call(
        stub.CopyCollection,
        transfer_pb2.CopyCollectionRequest(name=f"collections/{collection}", collection_id=to),
    )
    made = answer.message.collection
    here.output.document(as_document(made, decision_id=answer.decision_id))
    here.output.show(f"{made.name} holds {counted(made.face_count, 'face')}, as {safe(collection)}")
