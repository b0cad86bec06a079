"""`beholden redact`: pictures with faces, text or unsafe content hidden for good."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from beholden.cli import many, pictures, redacting
from beholden.cli.failures import Failure
from beholden.cli.output import table
from beholden.cli.redacting import Response, Result, Tally
from beholden.cli.session import Session, session
from beholden.cli.words import counted, safe, score
from beholden.v1 import detection_pb2, detection_pb2_grpc, redaction_pb2


class Style(Enum):
    """How to hide, as a person types it."""

    BLUR = "blur"
    BOX = "box"
    PIXELATE = "pixelate"


def redact(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    source: Annotated[
        Path, typer.Argument(metavar="IN", help="A JPEG or PNG file, or a folder of them.")
    ],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="The file to write, or the folder for a folder.")
    ],
    faces: Annotated[bool, typer.Option("--faces", help="Hide faces.")] = False,
    text: Annotated[bool, typer.Option("--text", help="Hide what is written.")] = False,
    unsafe: Annotated[
        bool, typer.Option("--unsafe", help="Hide unsafe content, or the whole picture for it.")
    ] = False,
    style: Annotated[Style, typer.Option(help="How it is hidden.")] = Style.BLUR,
    min_unsafe: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Unsafe from this confidence on; the server's if absent."),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Pictures at the same time.")] = 2,
) -> None:
    """Hide faces, text or unsafe content for good, and drop all metadata. Look before you publish."""
    here = session(context)
    asked = {"FACE": faces, "TEXT": text, "UNSAFE": unsafe}
    wanted = detection_pb2.RedactImageRequest(
        kinds=[f"REDACTION_KIND_{name}" for name, hidden in asked.items() if hidden],
        style=f"REDACTION_STYLE_{style.name}",
        min_unsafe_confidence=min_unsafe,
    )
    if not wanted.kinds:
        raise typer.BadParameter("say what to hide", param_hint="--faces, --text, --unsafe")
    places = redacting.places(source, out)
    stub = here.stub(detection_pb2_grpc.DetectionServiceStub)

    def ask(file: Path) -> Result:
        request = detection_pb2.RedactImageRequest()
        request.CopyFrom(wanted)
        try:
            request.image.CopyFrom(pictures.read(file))
            answer = here.client.call(stub.RedactImage, request)
            redacting.write(answer.message, places[file])
        except Failure as failure:
            return failure
        return answer

    if not source.is_dir():
        _one(here, source, places[source], ask(source))
        return
    with here.output.progress(rate=True) as bar:
        task = bar.add_task(f"redacting {safe(source)}", total=len(places))

        def tell(file: Path, result: Result) -> None:
            bar.advance(task)
            here.output.document(redacting.document(file, places[file], result))

        tally = Tally(len(places))
        many.run(list(places), ask, jobs, tell, tally)
    _sum_up(here, tally, out)
    raise typer.Exit(tally.exit_code)


def _one(here: Session, file: Path, place: Path, result: Result) -> None:
    if isinstance(result, Failure):
        raise result
    found = result.message
    here.output.document(redacting.document(file, place, result))
    tally = Tally(1)
    tally.count(found)
    models = ", ".join(f"{one.name}@{one.version}" for one in found.models)
    if found.redactions:
        here.output.show(_regions(found))
    if tally.whole:
        here.output.show("[yellow]the whole picture is hidden[/]: no model tells where that is")
    if tally.untouched:
        here.output.show("[yellow]nothing was found to hide[/]")
    here.output.show(f"{tally.said()} hidden in {safe(place)} · {models}")


def _regions(found: Response) -> Table:
    shown = table("hidden", ">confidence", ">size", ">at", "label")
    width, height = found.image_size.width, found.image_size.height
    for one in found.redactions:
        box = one.bounding_box
        shown.add_row(
            redaction_pb2.RedactionKind.Name(one.kind).rpartition("_")[2].lower(),
            score(one.confidence, 2) if one.HasField("confidence") else "",
            f"{(box.x_max - box.x_min) * width:.0f} x {(box.y_max - box.y_min) * height:.0f}",
            f"{box.x_min * width:.0f}, {box.y_min * height:.0f}",
            safe(one.label),
        )
    return shown


def _sum_up(here: Session, tally: Tally, out: Path) -> None:
    done = tally.pictures - len(tally.failed)
    here.output.document(
        {
            "summary": {
                "pictures": tally.pictures,
                "of": tally.total,
                "faces": tally.hidden[redaction_pb2.REDACTION_KIND_FACE],
                "lines": tally.hidden[redaction_pb2.REDACTION_KIND_TEXT],
                "unsafe": tally.hidden[redaction_pb2.REDACTION_KIND_UNSAFE],
                "whole": tally.whole,
                "untouched": tally.untouched,
                "failed": len(tally.failed),
                "interrupted": tally.interrupted,
            }
        }
    )
    if tally.failed and not tally.ended_by:
        here.output.show(tally.failures())
    if tally.interrupted:
        here.output.show(
            "[yellow]interrupted[/]: what is written is whole; run it again for the rest"
        )
    here.output.show(
        f"[bold]{tally.said()}[/] hidden in {done} of {counted(tally.total, 'picture')} · {safe(out)}"
        + (f" · {tally.untouched} with nothing to hide" if tally.untouched else "")
        + (f" · [red]{len(tally.failed)} failed, nothing written[/]" if tally.failed else "")
    )
    if tally.ended_by:
        here.output.failure(tally.ended_by)
