"""Labels, text and what is unsafe as marks on the picture that was asked about, for --draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from beholden.cli.words import score
from beholden.v1 import detection_pb2, image_pb2, moderation_pb2, text_pb2

if TYPE_CHECKING:
    from beholden.core.geometry import Box
    from beholden.vision.draw import Mark

_MOST_IN_TITLE = 4


def objects(found: detection_pb2.DetectLabelsResponse) -> list[Mark]:
    """Every object with its label and confidence, large ones first, in a colour for each label."""
    from beholden.vision.draw import DOUBTFUL, FOUND, MATCHED, REFUSED, Mark

    colours = (FOUND, MATCHED, DOUBTFUL, REFUSED)
    told = [label for label in found.labels if label.instances]
    return [
        Mark(
            box=box(instance.bounding_box),
            caption=f"{label.name} {score(instance.confidence, 2)}",
            colour=colours[number % len(colours)],
        )
        for number, label in enumerate(told)
        for instance in label.instances
    ]


def whole(found: detection_pb2.DetectLabelsResponse) -> str:
    """What the whole picture shows, in a line: the surest of the labels that have no place in it."""
    above = {parent for label in found.labels for parent in label.parents}
    told = [
        f"{label.name} {score(label.confidence, 2)}"
        for label in found.labels
        if not label.instances and label.name not in above
    ]
    return ", ".join(told[:_MOST_IN_TITLE])


def lines(found: detection_pb2.DetectTextResponse) -> list[Mark]:
    """Every line with what it says, outlined as it lies."""
    from beholden.core.geometry import Point
    from beholden.vision.draw import Mark

    return [
        Mark(
            box=box(one.bounding_box),
            caption=one.text,
            outline=tuple(Point(corner.x, corner.y) for corner in one.polygon),
        )
        for one in found.texts
        if one.type == text_pb2.TEXT_TYPE_LINE
    ]


def unsafe(found: moderation_pb2.ModerateImageResponse) -> list[Mark]:
    """Every place that is unsafe with its label, outlined as it lies where that is text."""
    from beholden.core.geometry import Point
    from beholden.vision.draw import REFUSED, Mark

    return [
        Mark(
            box=box(one.bounding_box),
            caption=f"{label.name} {score(one.confidence, 2)}",
            colour=REFUSED,
            outline=tuple(Point(corner.x, corner.y) for corner in one.polygon),
        )
        for label in found.labels
        for one in label.instances
    ]


def box(box: image_pb2.BoundingBox) -> Box:
    """The box as the vision of the house takes it."""
    from beholden.core.geometry import Box

    return Box(box.x_min, box.y_min, box.x_max, box.y_max)
