"""`beholden labels`: what a picture shows, and how it looks."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from beholden.cli import drawing, marks, pictures
from beholden.cli.options import Draw, MinConfidence, Picture
from beholden.cli.output import as_document, table
from beholden.cli.session import session
from beholden.cli.words import counted, safe, score
from beholden.v1 import detection_pb2, detection_pb2_grpc, label_pb2

_Names = list[str] | None


def labels(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    picture: Picture,
    min_confidence: MinConfidence = None,
    max_labels: Annotated[
        int, typer.Option("--max", min=0, max=1000, help="The most labels, surest first; 0: all.")
    ] = 0,
    include: Annotated[
        _Names, typer.Option("--only", metavar="LABEL", help="Only this label; repeatable.")
    ] = None,
    category: Annotated[
        _Names, typer.Option(metavar="NAME", help="Only labels of this category; repeatable.")
    ] = None,
    exclude: Annotated[
        _Names, typer.Option("--not", metavar="LABEL", help="Not this label; repeatable.")
    ] = None,
    exclude_category: Annotated[
        _Names, typer.Option("--not-category", metavar="NAME", help="No label of this category.")
    ] = None,
    looks: Annotated[
        bool, typer.Option("--looks", help="Tell dominant colours, brightness, contrast too.")
    ] = False,
    draw: Draw = None,
) -> None:
    """Name what a picture shows: objects and people with their places, and the whole."""
    here = session(context)
    image = pictures.read(picture)
    stub = here.stub(detection_pb2_grpc.DetectionServiceStub)
    answer = here.client.call(
        stub.DetectLabels,
        detection_pb2.DetectLabelsRequest(
            image=image,
            min_confidence=min_confidence,
            max_labels=max_labels,
            filter=label_pb2.LabelFilter(
                include_labels=include or (),
                include_categories=category or (),
                exclude_labels=exclude or (),
                exclude_categories=exclude_category or (),
            ),
            image_properties=label_pb2.ImagePropertiesOptions() if looks else None,
        ),
    )
    found = answer.message
    if draw:
        drawing.write(draw, image, marks.objects(found), marks.whole(found))
    here.output.document(as_document(found, decision_id=answer.decision_id))
    here.output.show(_labels(found) if found.labels else "nothing is told")
    if looks:
        here.output.show("", _looks(found.image_properties))
    people = (
        f" · {counted(found.person_count, 'person', 'people')}"
        if found.HasField("person_count")
        else ""
    )
    models = ", ".join(f"{model.name}@{model.version}" for model in found.models)
    here.output.show(
        f"{counted(len(found.labels), 'label')} for {safe(picture)}{people} · {models}"
    )


def _labels(found: detection_pb2.DetectLabelsResponse) -> Table:
    shown = table("label", ">confidence", ">objects", "kind of", "categories")
    for label in found.labels:
        shown.add_row(
            f"[bold]{safe(label.name)}[/]",
            score(label.confidence, 2),
            str(len(label.instances) or ""),
            safe(", ".join(label.parents)),
            safe(", ".join(label.categories)),
        )
    return shown


def _looks(properties: label_pb2.ImageProperties) -> Table:
    shown = table("part", ">bright", ">contrast", ">sharp", "colours")
    for name in ("whole", "foreground", "background"):
        if properties.HasField(name):
            look = getattr(properties, name)
            colours = (
                f"[{one.hex}]██[/] {one.name} {one.hex} {one.share:.0%}"
                for one in look.dominant_colors
            )
            numbers = (look.brightness, look.contrast, look.sharpness)
            shown.add_row(name, *(f"{number:.2f}" for number in numbers), "\n".join(colours))
    return shown
