"""Labels and how a picture looks, as messages."""

from __future__ import annotations

from beholden.core.labels import Label, Look
from beholden.v1 import image_pb2, label_pb2
from beholden.wire.faces import bounding_box


def label(one: Label) -> label_pb2.Label:
    """A label with all that is known of it."""
    return label_pb2.Label(
        name=one.kind.name,
        confidence=one.confidence,
        instances=[
            label_pb2.LabelInstance(
                bounding_box=bounding_box(instance.box), confidence=instance.confidence
            )
            for instance in one.instances
        ],
        parents=one.kind.parents,
        aliases=one.kind.aliases,
        categories=one.kind.categories,
        models=[named(model) for model in one.models],
    )


def named(model: str) -> image_pb2.ModelVersion:
    """A model's id, such as `yolox_nano@1`, as answers name it."""
    name, _, version = model.partition("@")
    return image_pb2.ModelVersion(name=name, version=version)


def look(one: Look | None) -> label_pb2.ImageLook | None:
    """How a picture or a part of it looks; None where there is no such part."""
    if one is None:
        return None
    return label_pb2.ImageLook(
        brightness=one.brightness,
        contrast=one.contrast,
        sharpness=one.sharpness,
        dominant_colors=[
            label_pb2.DominantColor(name=colour.name, hex=colour.hex, share=colour.share)
            for colour in one.colours
        ],
    )
