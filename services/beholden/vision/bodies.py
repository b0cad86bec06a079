"""From people's boxes to the squares that a pose model looks at, and from its answer to their bodies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholden.core.bodies import Body, Joint
from beholden.core.faces import Pixels
from beholden.core.geometry import Box
from beholden.vision.scaling import resized


def crops(pixels: Pixels, boxes: Sequence[Box], side: int, margin: float) -> Pixels:
    """A square around each box, its side `margin` times the box's longer one: (N, side, side, 3).

    What lies outside the picture is black.
    """
    height, width = pixels.shape[:2]
    out = np.zeros((len(boxes), side, side, 3), np.uint8)
    for square, box in zip(out, boxes, strict=True):
        left, top, size = _square(box, width, height, margin)
        xs, x = _part(left, size, width, side)
        ys, y = _part(top, size, height, side)
        square[y, x] = resized(pixels[ys, xs], x.stop - x.start, y.stop - y.start)
    return out


def read(
    points: NDArray[Any], boxes: Sequence[Box], width: int, height: int, margin: float
) -> list[Body]:
    """Bodies in a picture of `width` x `height`, from `points` (N, 17, 3): y, x, sureness in `crops`.

    Raises ValueError for points of another shape, or what are no numbers: an answer that makes no
    sense must not pass for a person who does nothing.
    """
    if points.shape != (len(boxes), len(Joint), 3) or not np.isfinite(points).all():
        raise ValueError(f"expected {len(boxes)} times {len(Joint)} points")
    found = []
    for rows, box in zip(points, boxes, strict=True):
        left, top, size = _square(box, width, height, margin)
        body = rows[:, (1, 0, 2)].astype(np.float32)
        body[:, 0] = (left + body[:, 0] * size) / width
        body[:, 1] = (top + body[:, 1] * size) / height
        body[:, 2] = np.clip(body[:, 2], 0, 1)
        found.append(body)
    return found


def _square(box: Box, width: int, height: int, margin: float) -> tuple[float, float, float]:
    """Left, top and side in pixels."""
    side = max(1.0, margin * max(box.width * width, box.height * height))
    x, y = (box.x_min + box.x_max) / 2 * width, (box.y_min + box.y_max) / 2 * height
    return x - side / 2, y - side / 2, side


def _part(start: float, size: float, most: int, side: int) -> tuple[slice, slice]:
    """What of `most` pixels lies between `start` and `start + size`, and where of `side` it belongs."""
    low, high = max(0.0, start), min(float(most), start + size)
    first = min(most - 1, int(low))
    seen = slice(first, max(first + 1, round(high)))
    begin = min(side - 1, round((low - start) / size * side))
    return seen, slice(begin, max(begin + 1, min(side, round((high - start) / size * side))))
