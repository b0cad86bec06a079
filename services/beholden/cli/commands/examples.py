"""`beholden examples`: pictures that teach a label of one's own to moderation, and ordinary ones."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Annotated

import typer

from beholden.cli import many, pictures
from beholden.cli.failures import Failure
from beholden.cli.output import as_document, table
from beholden.cli.session import session
from beholden.cli.words import counted, safe, when
from beholden.client.answers import Answer
from beholden.v1 import moderation_pb2, moderation_pb2_grpc

_REQUESTS = uuid.UUID("a94ba8c1-0a56-5f2e-8f5e-1c1b7f0a2d64")
_ORDINARY = "[dim]ordinary[/]"

_Result = Answer[moderation_pb2.CreateModerationExampleResponse] | Failure


def add(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Pictures, and folders of pictures.")],
    label: Annotated[str, typer.Option(help="The label that they are examples of.")] = "",
    ordinary: Annotated[
        bool, typer.Option("--ordinary", help="They are ordinary: nothing is to be told of them.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Pictures at the same time.")] = 4,
) -> None:
    """Add examples of a label, or ordinary pictures; run again, it adds nothing twice."""
    here = session(context)
    if bool(label) == ordinary:
        raise typer.BadParameter("say --label NAME or --ordinary, one of them")
    files = pictures.find(paths)
    if not files:
        raise Failure(f"no pictures in {', '.join(map(str, paths))}", status="INVALID_ARGUMENT")
    stub = here.stub(moderation_pb2_grpc.ModerationServiceStub)

    def ask(file: Path) -> _Result:
        try:
            image = pictures.read(file)
            name = f"{label}/{hashlib.sha256(image.content).hexdigest()}"
            request = moderation_pb2.CreateModerationExampleRequest(
                image=image,
                label=label,
                ordinary=ordinary,
                request_id=str(uuid.uuid5(_REQUESTS, name)),
            )
            return here.client.call(stub.CreateModerationExample, request)
        except Failure as failure:
            return failure

    tally = many.Tally[moderation_pb2.CreateModerationExampleResponse](len(files))
    with here.output.progress(rate=True) as bar:
        task = bar.add_task("adding", total=len(files))

        def tell(file: Path, result: _Result) -> None:
            bar.advance(task)
            if isinstance(result, Failure):
                here.output.document({"file": str(file), **result.document()})
            else:
                said = as_document(result.message, decision_id=result.decision_id)
                here.output.document({"file": str(file), **said})

        many.run(files, ask, jobs, tell, tally)
    if tally.failed:
        here.output.show(tally.failures())
    added = tally.pictures - len(tally.failed)
    what = "ordinary" if ordinary else f"examples of {safe(label)}"
    here.output.show(f"{counted(added, 'picture')} of {tally.total} added as {what}")
    if tally.ended_by:
        raise tally.ended_by
    raise typer.Exit(tally.exit_code)


def show_all(context: typer.Context) -> None:
    """List the tenant's examples; what each label is worth: beholden moderate --list."""
    here = session(context)
    stub = here.stub(moderation_pb2_grpc.ModerationServiceStub)
    shown = table("=example", "label", "added by", "at")
    request = moderation_pb2.ListModerationExamplesRequest(page_size=1000)
    for page in here.client.pages(stub.ListModerationExamples, request):
        for one in page.examples:
            here.output.document(as_document(one))
            shown.add_row(
                one.name.rpartition("/")[2],
                safe(one.label) or _ORDINARY,
                safe(one.added_by),
                when(one.create_time),
            )
    here.output.show(shown if shown.row_count else "no examples")


def delete(
    context: typer.Context,
    examples: Annotated[list[str], typer.Argument(help="The examples' ids.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete examples; once it answers, no picture is compared with them."""
    here = session(context)
    here.output.confirm(f"Delete {counted(len(examples), 'example')}?", yes)
    stub = here.stub(moderation_pb2_grpc.ModerationServiceStub)
    for example in examples:
        request = moderation_pb2.DeleteModerationExampleRequest(
            name=f"moderationExamples/{example}"
        )
        answer = here.client.call(stub.DeleteModerationExample, request)
        here.output.document({"deleted": request.name, "decision_id": answer.decision_id})
    here.output.show(f"deleted {counted(len(examples), 'example')}")
