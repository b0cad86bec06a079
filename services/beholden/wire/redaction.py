"""What was hidden as messages, and what to hide out of them."""

from __future__ import annotations

from collections.abc import Iterable

from beholden.core.errors import InvalidArgument
from beholden.core.redaction import Redaction, RedactionKind, RedactionStyle
from beholden.v1 import redaction_pb2
from beholden.wire.faces import bounding_box, point


def kinds(asked: Iterable[redaction_pb2.RedactionKind]) -> frozenset[RedactionKind]:
    """What to hide. Raises InvalidArgument for a kind that is not said."""
    found = set()
    for place, number in enumerate(asked):
        if not number:
            raise InvalidArgument(f"kinds[{place}]", "must say what to hide")
        found.add(RedactionKind(_name(redaction_pb2.RedactionKind.Name(number))))
    return frozenset(found)


def style(asked: redaction_pb2.RedactionStyle) -> RedactionStyle:
    """How to hide it: blurred where that is not said."""
    return (
        RedactionStyle(_name(redaction_pb2.RedactionStyle.Name(asked)))
        if asked
        else RedactionStyle.BLUR
    )


def redaction(one: Redaction) -> redaction_pb2.Redaction:
    """One region that was hidden."""
    return redaction_pb2.Redaction(
        kind=f"REDACTION_KIND_{one.kind.value}",
        bounding_box=bounding_box(one.box),
        polygon=() if one.upright else map(point, one.corners),
        confidence=one.confidence,
        label=one.label,
        whole_image=one.whole,
    )


def _name(full: str) -> str:
    return full.rpartition("_")[2]
