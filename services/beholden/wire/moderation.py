"""What is unsafe, and what can be told of it, as messages."""

from __future__ import annotations

from beholden.core.moderation import LabelSource, ModerationLabel, UnsafeRegion
from beholden.v1 import moderation_pb2
from beholden.wire.faces import bounding_box, point
from beholden.wire.labels import named


def moderation_label(label: ModerationLabel) -> moderation_pb2.ModerationLabel:
    """A label, where it is, and who said so."""
    return moderation_pb2.ModerationLabel(
        name=label.name,
        parent_name=parent(label.parents),
        taxonomy_level=len(label.parents) + 1,
        confidence=label.confidence,
        instances=map(_instance, label.regions),
        models=map(named, label.models),
        source=source(label.source),
    )


def source(one: LabelSource) -> str:
    """Whose a label is, by the name of its enum value."""
    return f"MODERATION_SOURCE_{one.value}"


def parent(parents: tuple[str, ...]) -> str:
    """The nearest of the labels above one; empty at the top."""
    return parents[0] if parents else ""


def _instance(region: UnsafeRegion) -> moderation_pb2.ModerationInstance:
    return moderation_pb2.ModerationInstance(
        bounding_box=bounding_box(region.box),
        confidence=region.confidence,
        polygon=map(point, region.outline or ()),
        word=region.word,
    )
