"""What is written in a picture."""

from __future__ import annotations

from dataclasses import dataclass

from beholden.core.geometry import Box, Point

Polygon = tuple[Point, Point, Point, Point]
"""Upper left, upper right, lower right, lower left, as the text reads: turned with it."""


@dataclass(frozen=True, slots=True)
class Word:
    """Characters without a space between them. `confidence` in [0, 1]."""

    text: str
    confidence: float
    polygon: Polygon

    @property
    def box(self) -> Box:
        """The upright box around the polygon, within the picture."""
        return around(self.polygon)


@dataclass(frozen=True, slots=True)
class Line:
    """Words in reading order, and where the whole line is."""

    words: tuple[Word, ...]
    polygon: Polygon

    @property
    def text(self) -> str:
        """The words with a space between each."""
        return " ".join(word.text for word in self.words)

    @property
    def confidence(self) -> float:
        """The words' mean, each counted by its length."""
        length = sum(len(word.text) for word in self.words)
        return sum(len(word.text) * word.confidence for word in self.words) / length

    @property
    def box(self) -> Box:
        """The upright box around the polygon, within the picture."""
        return around(self.polygon)


def around(polygon: Polygon) -> Box:
    """The upright box around a polygon, within the picture."""
    across = [min(1.0, max(0.0, point.x)) for point in polygon]
    down = [min(1.0, max(0.0, point.y)) for point in polygon]
    return Box(min(across), min(down), max(across), max(down))
