"""`beholden moderate`: whether a picture is fit to be shown."""

from __future__ import annotations

import typer
from rich.table import Table

from beholden.cli import drawing, pictures
from beholden.cli.options import Draw, MinConfidence, Picture
from beholden.cli.output import as_document, table
from beholden.cli.session import session
from beholden.cli.words import safe, score
from beholden.v1 import moderation_pb2, moderation_pb2_grpc


def moderate(
    context: typer.Context,
    picture: Picture,
    min_confidence: MinConfidence = None,
    draw: Draw = None,
) -> None:
    """Name what may be unsafe in a picture. Silence is not safety."""
    here = session(context)
    image = pictures.read(picture)
    stub = here.stub(moderation_pb2_grpc.ModerationServiceStub)
    answer = here.client.call(
        stub.ModerateImage,
        moderation_pb2.ModerateImageRequest(image=image, min_confidence=min_confidence),
    )
    found = answer.message
    if draw:
        drawing.write(draw, image, [], drawing.verdict(found))
    here.output.document(as_document(found, decision_id=answer.decision_id))
    kinds = f" · {', '.join(found.content_types)}" if found.content_types else ""
    here.output.show(
        _labels(found) if found.labels else "[green]nothing unsafe was told[/]",
        f"{safe(picture)}{kinds} · {found.model.name}@{found.model.version}",
    )


def _labels(found: moderation_pb2.ModerateImageResponse) -> Table:
    shown = table("label", ">confidence")
    for label in found.labels:
        name = f"{label.parent_name} / {label.name}" if label.parent_name else label.name
        shown.add_row(f"[red]{name}[/]", score(label.confidence, 2))
    return shown
