"""`beholden text`: what is written in a picture."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from beholden.cli import drawing, marks, pictures
from beholden.cli.options import Draw, MinConfidence, Picture
from beholden.cli.output import as_document, table
from beholden.cli.session import session
from beholden.cli.words import counted, safe, score
from beholden.v1 import detection_pb2, detection_pb2_grpc, image_pb2, text_pb2

_Share = Annotated[float, typer.Option(min=0, max=1, help="Leave out smaller words: a share.")]


def text(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    picture: Picture,
    min_confidence: MinConfidence = None,
    min_height: _Share = 0.0,
    min_width: _Share = 0.0,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LEFT,TOP,RIGHT,BOTTOM",
            help="Read here only, in shares of the picture; up to ten times.",
        ),
    ] = None,
    draw: Draw = None,
) -> None:
    """Read what is written in a picture, line by line."""
    here = session(context)
    image = pictures.read(picture)
    stub = here.stub(detection_pb2_grpc.DetectionServiceStub)
    answer = here.client.call(
        stub.DetectText,
        detection_pb2.DetectTextRequest(
            image=image,
            word_filter=text_pb2.WordFilter(
                min_confidence=min_confidence, min_height=min_height, min_width=min_width
            ),
            regions=[_region(one) for one in region or ()],
        ),
    )
    found = answer.message
    lines = [one for one in found.texts if one.type == text_pb2.TEXT_TYPE_LINE]
    if draw:
        drawing.write(draw, image, marks.lines(found))
    here.output.document(as_document(found, decision_id=answer.decision_id))
    here.output.show(
        _lines(lines) if lines else "nothing is written here",
        f"{counted(len(lines), 'line')}, {counted(len(found.texts) - len(lines), 'word')} "
        f"in {safe(picture)} · {', '.join(f'{one.name}@{one.version}' for one in found.models)}",
    )


def _region(spoken: str) -> image_pb2.BoundingBox:
    try:
        left, top, right, bottom = map(float, spoken.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"{spoken!r} is not four numbers, such as 0,0.5,1,1", param_hint="--region"
        ) from None
    return image_pb2.BoundingBox(x_min=left, y_min=top, x_max=right, y_max=bottom)


def _lines(lines: list[text_pb2.DetectedText]) -> Table:
    shown = table(">confidence", "text")
    for line in lines:
        shown.add_row(score(line.confidence, 2), f"[bold]{safe(line.text)}[/]")
    return shown
