"""Boxes and points, always normalised to the upright picture: 0 is left or top, 1 right or bottom."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the picture; may lie slightly outside [0, 1] where a model says so."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle with x_min <= x_max and y_min <= y_max, each in [0, 1]."""

    x_min: float
    y_min: float
    x_max: float
    y_max: float

    @property
    def width(self) -> float:
        """Share of the picture's width, in [0, 1]."""
        return self.x_max - self.x_min

    @property
    def height(self) -> float:
        """Share of the picture's height, in [0, 1]."""
        return self.y_max - self.y_min

    @property
    def area(self) -> float:
        """Share of the picture's area, in [0, 1]."""
        return self.width * self.height


SAME_PLACE = 0.5
"""The `iou` from which two boxes are of one thing, as in PASCAL VOC's evaluation."""


def shared(one: Box, other: Box) -> float:
    """What both boxes cover, as a share of the picture's area, in [0, 1]."""
    width = min(one.x_max, other.x_max) - max(one.x_min, other.x_min)
    height = min(one.y_max, other.y_max) - max(one.y_min, other.y_min)
    return max(0.0, width) * max(0.0, height)


def iou(one: Box, other: Box) -> float:
    """The boxes' intersection over their union, in [0, 1]."""
    both = shared(one, other)
    return both / max(1e-12, one.area + other.area - both)
