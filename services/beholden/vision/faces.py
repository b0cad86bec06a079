"""From a picture to the detector's input, and from CenterFace's maps to faces.

The maps have one cell for each 4 x 4 pixels of the input (Xu et al., "CenterFace: Joint Face
Detection and Alignment Using Face as Point", 2019): how likely a face's centre lies there, its
size, the centre's place within the cell, and five landmarks relative to the box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from beholden.core.faces import Pixels
from beholden.vision.scaling import fit_within, resized

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


class DetectorInput(NamedTuple):
    """`batch` is uint8 (1, H, W, 3); the picture fills its upper left `width` x `height`."""

    batch: Pixels
    width: int
    height: int


def detector_input(pixels: Pixels, side: int = DEFAULT_SIDE) -> DetectorInput:
    """The picture reduced to at most `side` a side, then padded with black to multiples of 32."""
    width, height = fit_within(pixels.shape[1], pixels.shape[0], side)
    batch = np.zeros((1, _round_up(height), _round_up(width), 3), np.uint8)
    batch[0, :height, :width] = resized(pixels, width, height)
    return DetectorInput(batch, width, height)


def find_faces(
    maps: Mapping[str, NDArray[Any]],
    *,
    width: int,
    height: int,
    threshold: float,
    iou: float = 0.3,
    index: int = 0,
) -> FoundFaces:
    """Reads the maps of picture `index` of a batch, which fills its upper left `width` x `height`.

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

    picture = np.array((width, height), np.float32)
    # What is not finite is dropped below.
    with np.errstate(over="ignore", invalid="ignore"):
        centres = (np.stack((columns, rows), axis=1) + offsets + 0.5) * STRIDE
        corners = centres - sizes / 2
        landmarks = points * sizes[:, None] + corners[:, None]
        boxes = np.clip(np.hstack((corners, corners + sizes)), 0, np.tile(picture, 2))

    extents = boxes[:, 2:] - boxes[:, :2]
    finite = np.isfinite(scores) & np.isfinite(landmarks).all(axis=(1, 2))
    real = finite & (extents >= 1).all(axis=1)
    kept = np.flatnonzero(real)
    kept = kept[_suppress(boxes[kept], scores[kept], iou)]
    kept = kept[np.argsort(-extents[kept].prod(axis=1), kind="stable")]
    return FoundFaces(
        boxes=(boxes[kept] / np.tile(picture, 2)).astype(np.float32),
        scores=scores[kept].astype(np.float32),
        landmarks=(landmarks[kept] / picture).astype(np.float32),
    )


def together(views: Sequence[FoundFaces], iou: float = 0.3) -> FoundFaces:
    """What was found in several views of one picture, each face once, the largest first."""
    boxes = np.concatenate([view.boxes for view in views])
    scores = np.concatenate([view.scores for view in views])
    kept = _suppress(boxes, scores, iou)
    areas = (boxes[kept, 2:] - boxes[kept, :2]).prod(axis=1)
    kept = kept[np.argsort(-areas, kind="stable")]
    landmarks = np.concatenate([view.landmarks for view in views])
    return FoundFaces(boxes[kept], scores[kept], landmarks[kept])


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
