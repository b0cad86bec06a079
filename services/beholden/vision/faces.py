"""From a picture to the detector's input, and from CenterFace's maps to faces.

The maps have one cell for each 4 x 4 pixels of the input (Xu et al., "CenterFace: Joint Face
Detection and Alignment Using Face as Point", 2019): how likely a face's centre lies there, its
size, the centre's place within the cell, and five landmarks relative to the box.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from beholden.core.faces import Pixels
from beholden.vision.scaling import resized

Floats = NDArray[np.float32]

STRIDE = 4
MULTIPLE = 32
DEFAULT_SIDE = 960
MAX_CANDIDATES = 4000
"""Peaks considered in one picture, the likeliest first: bounds what a hostile picture can cost."""


@dataclass(frozen=True, slots=True)
class FoundFaces:
    """Faces found in one picture, the largest first, in shares of its width and height.

    `boxes` (K, 4): x_min, y_min, x_max, y_max, within [0, 1]; `scores` (K,) in [0, 1];
    `landmarks` (K, 5, 2): x, y in the order of `core.faces.Landmarks`, slightly outside [0, 1] for
    a face that is cut off. All float32.
    """

    boxes: Floats
    scores: Floats
    landmarks: Floats

    def __len__(self) -> int:
        return len(self.scores)


def detector_input(pixels: Pixels, side: int = DEFAULT_SIDE) -> tuple[Pixels, float]:
    """The picture reduced to at most `side` a side, then padded with black to multiples of 32.

    Returns uint8 (1, H, W, 3), padded on the right and below, and the ratio in (0, 1] by which the
    picture was reduced: its content fills `round(ratio * side)` of each side.
    """
    ratio = min(1.0, side / max(pixels.shape[:2]))
    width, height = _content(pixels, ratio)
    batch = np.zeros((1, _round_up(height), _round_up(width), 3), np.uint8)
    batch[0, :height, :width] = resized(pixels, width, height)
    return batch, ratio


def find_faces(
    maps: Mapping[str, NDArray[Any]],
    pixels: Pixels,
    ratio: float,
    *,
    threshold: float,
    iou: float = 0.3,
    index: int = 0,
) -> FoundFaces:
    """Reads the maps of picture `index` of a batch, made from `pixels` reduced by `ratio`.

    `maps` holds float32 `heatmap` (N, 1, h, w) in [0, 1], `size` (N, 2, h, w): height and width in
    pixels of the input, `offset` (N, 2, h, w): y and x in cells, and `landmarks` (N, 10, h, w): y
    and x of five points, as shares of the box, from its top left corner. Faces under `threshold`
    are left out, as is the less likely of two whose boxes overlap by more than `iou` (intersection
    over union) and what is not finite or lies outside the picture.
    """
    rows, columns = _peaks(maps["heatmap"][index, 0], threshold)
    scores = maps["heatmap"][index, 0, rows, columns]
    sizes = maps["size"][index][::-1, rows, columns].T
    offsets = maps["offset"][index][::-1, rows, columns].T
    points = maps["landmarks"][index][:, rows, columns].T.reshape(-1, 5, 2)[:, :, ::-1]

    centres = (np.stack((columns, rows), axis=1) + offsets + 0.5) * STRIDE
    corners = centres - sizes / 2
    picture = np.array(_content(pixels, ratio), np.float32)
    boxes = np.clip(np.hstack((corners, corners + sizes)), 0, np.tile(picture, 2))
    landmarks = points * sizes[:, None] + corners[:, None]

    extents = boxes[:, 2:] - boxes[:, :2]
    real = np.isfinite(landmarks).all(axis=(1, 2)) & (extents >= 1).all(axis=1)
    kept = np.flatnonzero(real)
    kept = kept[_suppress(boxes[kept], scores[kept], iou)]
    kept = kept[np.argsort(-extents[kept].prod(axis=1), kind="stable")]
    return FoundFaces(
        boxes=(boxes[kept] / np.tile(picture, 2)).astype(np.float32),
        scores=scores[kept].astype(np.float32),
        landmarks=(landmarks[kept] / picture).astype(np.float32),
    )


def _content(pixels: Pixels, ratio: float) -> tuple[int, int]:
    """Width and height of the picture within the detector's input."""
    height, width = (max(1, round(length * ratio)) for length in pixels.shape[:2])
    return width, height


def _peaks(heat: Floats, threshold: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the cells over `threshold` that none of their eight neighbours exceeds."""
    highest_around = cv2.dilate(heat, np.ones((3, 3), np.uint8))
    cells = np.flatnonzero((heat >= threshold) & (heat >= highest_around))
    if len(cells) > MAX_CANDIDATES:
        scores = heat.ravel()[cells]
        cells = cells[np.argpartition(scores, -MAX_CANDIDATES)[-MAX_CANDIDATES:]]
    return np.divmod(cells, heat.shape[1])


def _suppress(boxes: Floats, scores: Floats, iou: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression: indices of the boxes that stay."""
    corners_and_sizes = np.hstack((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]))
    kept = cv2.dnn.NMSBoxes(corners_and_sizes.tolist(), scores.tolist(), 0.0, iou)
    return np.asarray(kept, np.intp).reshape(-1)


def _round_up(length: int) -> int:
    return -(-length // MULTIPLE) * MULTIPLE
