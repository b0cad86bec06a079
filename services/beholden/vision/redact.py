"""Hides regions of a picture for good.

Whatever the style, the new pixels are made of at most `CELLS` x `CELLS` colours of the region, each
the mean of a part of it: 16 x 3 bytes of a face are left, however large it is, and nothing that a
filter could bring back. Edges are hard, since a soft one mixes hidden pixels with known ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from beholden.core.faces import Pixels
from beholden.core.geometry import Box, Point
from beholden.core.redaction import RedactionStyle

CELLS = 4
"""Parts of a region's longer side, each of which leaves its mean colour."""

_LEAST_CELL = 4  # pixels: less would leave the details of a small region

Corners = Sequence[Point]


def hide(pixels: Pixels, regions: Sequence[Corners], style: RedactionStyle) -> None:
    """Overwrites what lies in `regions` (convex, in shares of the picture) in `pixels` (H, W, 3).

    A pixel that a region only touches is hidden too.
    """
    height, width = pixels.shape[:2]
    for region in regions:
        corners = np.array([(corner.x, corner.y) for corner in region]) * (width, height)
        left, top = np.clip(np.floor(corners.min(axis=0)), 0, (width, height)).astype(int)
        right, bottom = np.clip(np.ceil(corners.max(axis=0)), 0, (width, height)).astype(int)
        if left < right and top < bottom:
            part = pixels[top:bottom, left:right]
            inside = _mask(corners - (left, top), part.shape[:2])
            np.copyto(part, _hidden(part, style), where=inside[:, :, None])


def grown(corners: NDArray[np.floating], margin: float) -> NDArray[np.floating]:
    """Rectangles (..., 4, 2), corners in order, larger on all sides by `margin` of their shorter side."""
    across, down = corners[..., 1, :] - corners[..., 0, :], corners[..., 3, :] - corners[..., 0, :]
    lengths = [np.linalg.norm(side, axis=-1, keepdims=True) for side in (across, down)]
    by = margin * np.minimum(*lengths)
    along, deep = (
        side / np.maximum(length, np.finfo(np.float32).tiny) * by
        for side, length in zip((across, down), lengths, strict=True)
    )
    steps = (-along - deep, along - deep, along + deep, deep - along)
    return np.asarray(corners + np.stack(steps, axis=-2))


def around_head(box: Box, margin: float) -> Box:
    """A face's box with `margin` of its width and height on each side, within the picture."""
    across, down = margin * box.width, margin * box.height
    return Box(
        max(0.0, box.x_min - across),
        max(0.0, box.y_min - down),
        min(1.0, box.x_max + across),
        min(1.0, box.y_max + down),
    )


def _hidden(part: Pixels, style: RedactionStyle) -> Pixels:
    if style is RedactionStyle.BOX:
        return np.zeros_like(part)
    height, width = part.shape[:2]
    cell = max(_LEAST_CELL, max(height, width) / CELLS)
    cells = max(1, int(width // cell)), max(1, int(height // cell))
    means = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
    method = cv2.INTER_NEAREST if style is RedactionStyle.PIXELATE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(means, (width, height), interpolation=method), np.uint8)


def _mask(corners: NDArray[np.floating], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The pixels of (H, W) that a polygon covers or touches."""
    mask = np.zeros(shape, np.uint8)
    # A pixel's own middle is half a pixel from its edge.
    cv2.fillConvexPoly(mask, np.round(corners - 0.5).astype(np.int32), 1)
    return cv2.dilate(mask, np.ones((3, 3), np.uint8)).astype(bool)
