"""`beholden moderate`: whether a picture is fit to be shown, and what that means here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from beholden.cli import drawing, marks, pictures
from beholden.cli.options import Draw, MinConfidence
from beholden.cli.output import as_document, table
from beholden.cli.session import Session, session
from beholden.cli.words import counted, safe, score
from beholden.v1 import image_pb2, moderation_pb2, moderation_pb2_grpc

_COVERAGE = {
    moderation_pb2.MODERATION_COVERAGE_COVERED: "[green]yes[/]",
    moderation_pb2.MODERATION_COVERAGE_PARTLY: "[yellow]partly[/]",
    moderation_pb2.MODERATION_COVERAGE_NOT_COVERED: "[red]no[/]",
}


def moderate(
    context: typer.Context,
    picture: Annotated[
        Path | None, typer.Argument(help="A JPEG or PNG file; - reads standard input.")
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="List every label, and what tells it here, if anything.")
    ] = False,
    min_confidence: MinConfidence = None,
    draw: Draw = None,
) -> None:
    """Name what may be unsafe in a picture. Silence is not safety: --list says what can be told."""
    here = session(context)
    if listed == (picture is not None):
        raise typer.BadParameter("give a picture, or --list alone")
    if picture is None:
        _list(here)
        return
    image = pictures.read(picture)
    stub = here.stub(moderation_pb2_grpc.ModerationServiceStub)
    answer = here.client.call(
        stub.ModerateImage,
        moderation_pb2.ModerateImageRequest(image=image, min_confidence=min_confidence),
    )
    found = answer.message
    if draw:
        drawing.write(draw, image, marks.unsafe(found), drawing.verdict(found))
    here.output.document(as_document(found, decision_id=answer.decision_id))
    kinds = f" · {', '.join(found.content_types)}" if found.content_types else ""
    here.output.show(
        _labels(found) if found.labels else "[green]nothing unsafe was told[/]",
        f"{safe(picture)}{kinds} · {_models(found.models)}",
    )


def _list(here: Session) -> None:
    stub = here.stub(moderation_pb2_grpc.ModerationServiceStub)
    request = moderation_pb2.ListModerationLabelsRequest()
    shown = table("=label", "=covered", ">from", "told by")
    labels = []
    for page in here.client.pages(stub.ListModerationLabels, request):
        for label in page.labels:
            here.output.document(as_document(label))
            shown.add_row(*_row(label))
            labels.append(label)
    told = sum(label.coverage == moderation_pb2.MODERATION_COVERAGE_COVERED for label in labels)
    here.output.show(
        shown,
        f"{told} of {counted(len(labels), 'label')} can be told here; of the others silence says nothing",
    )
    for model, licence in {
        one.model: one.licence for label in labels for one in label.candidates
    }.items():
        here.output.show(
            f"[dim]{model} ({licence}) would tell more: beholden models list, beholden models pull[/]"
        )


def _row(label: moderation_pb2.ModerationLabelCoverage) -> tuple[str, ...]:
    silent = label.coverage == moderation_pb2.MODERATION_COVERAGE_NOT_COVERED
    name = "  " * (label.taxonomy_level - 1) + safe(label.name)
    told_by = _models(label.models)
    if label.HasField("calibration"):
        told_by = _taught(label.calibration)
    would = f"[dim]not pulled: {', '.join(one.model for one in label.candidates)}[/]"
    return (
        f"[dim]{name}[/]" if silent else name,
        _COVERAGE[label.coverage],
        "" if silent else score(label.min_confidence, 2),
        told_by if label.models or not label.candidates else would,
    )


def _taught(worth: moderation_pb2.ModerationCalibration) -> str:
    of = f"{counted(worth.example_count, 'example')}, {counted(worth.other_count, 'other')}"
    if not worth.HasField("found"):
        return f"{of}: too few, or not alike"
    return f"{of}: {worth.found:.0%} found, {worth.false_alarms:.0%} false alarms among them"


def _labels(found: moderation_pb2.ModerateImageResponse) -> Table:
    shown = table("label", ">confidence", ">places", "told by")
    for label in found.labels:
        above = f"{safe(label.parent_name)} / " if label.parent_name else ""
        words = ", ".join(dict.fromkeys(one.word for one in label.instances if one.word))
        shown.add_row(
            f"{above}[red]{safe(label.name)}[/]" + (f": {safe(words)}" if words else ""),
            score(label.confidence, 2),
            str(len(label.instances) or ""),
            _models(label.models),
        )
    return shown


def _models(models: Iterable[image_pb2.ModelVersion]) -> str:
    return ", ".join(f"{model.name}@{model.version}" for model in models)
