"""What is hidden in a picture, why and how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from beholden.core.geometry import Box, Point


class RedactionKind(Enum):
    """What to hide; the names are the proto enum's, less its prefix."""

    FACE = "FACE"
    TEXT = "TEXT"
    UNSAFE = "UNSAFE"


class RedactionStyle(Enum):
    """How to hide it; the names are the proto enum's, less its prefix."""

    BLUR = "BLUR"
    BOX = "BOX"
    PIXELATE = "PIXELATE"


@dataclass(frozen=True, slots=True)
class Unsafe:
    """Something unsafe to show: its `label` in the moderation taxonomy, `confidence` in [0, 1].

    `box` is None where no model tells where it is: then it may be anywhere in the picture.
    """

    label: str
    confidence: float
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Redaction:
    """One region to hide: all within `corners`, a convex polygon, clockwise; four where it is a box.

    `confidence` is None for text, `label` is that of unsafe content. `whole` says that the region is
    the whole picture because nobody knows where in it the content is.
    """

    kind: RedactionKind
    corners: tuple[Point, ...]
    confidence: float | None = None
    label: str = ""
    whole: bool = False

    @property
    def box(self) -> Box:
        """The upright box around the region, within the picture."""
        across = [min(1.0, max(0.0, corner.x)) for corner in self.corners]
        down = [min(1.0, max(0.0, corner.y)) for corner in self.corners]
        return Box(min(across), min(down), max(across), max(down))

    @property
    def upright(self) -> bool:
        """Whether the region is its box."""
        return len({corner.x for corner in self.corners}) == 2


def within(box: Box) -> tuple[Point, ...]:
    """A box's corners, clockwise from the upper left."""
    return (
        Point(box.x_min, box.y_min),
        Point(box.x_max, box.y_min),
        Point(box.x_max, box.y_max),
        Point(box.x_min, box.y_max),
    )
