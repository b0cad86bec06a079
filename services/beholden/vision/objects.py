"""From a picture to a detector's input, and from its answer to objects, by the decoder it declares.

yolox  rows of centre, logarithmic size, objectness and classes for each cell of three grids, not
       decoded (Ge et al., "YOLOX: Exceeding YOLO Series in 2021"); the picture is laid in the
       upper left of the square
detr   class logits and boxes of each query, `logits` (N, Q, C) and `boxes` (N, Q, 4), as RT-DETR
       gives them (Zhao et al., 2023); the picture fills the square
centernet  a heat map of centres and the reach to their edges (see centernet.py), `heatmap` and
       `reach`; the picture fills the square
yolov8 columns of centre and size in pixels and the score of each class (N, 4 + C, K), no objectness
       (Jocher et al., Ultralytics YOLOv8, 2023); the picture is laid in the upper left of the square

Where it is laid in a square, the rest is grey, or the model's `ground` in [0, 255].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from beholden.core.faces import Pixels
from beholden.core.models import ModelSpec
from beholden.vision.centernet import read_maps
from beholden.vision.scaling import resized

Floats = NDArray[np.float32]
Read = tuple[Floats, Floats]
"""Boxes in pixels of the input (K, 4), and scores (K, C)."""

Reader = Callable[[list[NDArray[Any]], ModelSpec, float], Read]
"""Reads a picture's outputs: all of at least the least score, and others if that is easier."""

MAX_CANDIDATES = 1000
"""Boxes considered in one picture, the likeliest first: bounds what a hostile picture can cost."""

_STRIDES = (8, 16, 32)
_GROUND = 114  # what YOLOX was trained to see around a picture


class View(NamedTuple):
    """`batch` is uint8 (1, H, W, 3); the picture fills its upper left `width` x `height`."""

    batch: Pixels
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Objects:
    """Objects, the likeliest first.

    `boxes` (K, 4): x_min, y_min, x_max, y_max as shares of the picture, within [0, 1]; `scores` (K,)
    in [0, 1]; `classes` (K,): indices of the model's labels.
    """

    boxes: Floats
    scores: Floats
    classes: NDArray[np.intp]


def fit(pixels: Pixels, model: ModelSpec) -> View:
    """The picture as the detector wants it. Raises ValueError for a decoder that is not known."""
    _, height, width, _ = model.inputs[0].shape
    if _decoder(model) in (_detr, _centernet):
        return View(resized(pixels, width, height)[None], width, height)
    ratio = min(height / pixels.shape[0], width / pixels.shape[1])
    inner = (max(1, round(pixels.shape[1] * ratio)), max(1, round(pixels.shape[0] * ratio)))
    ground = int(model.parameters.get("ground", _GROUND))
    batch = np.full((1, height, width, 3), ground, np.uint8)
    batch[0, : inner[1], : inner[0]] = resized(pixels, *inner)
    return View(batch, *inner)


def read(
    outputs: Mapping[str, NDArray[Any]], model: ModelSpec, view: View, threshold: float
) -> Objects:
    """The objects of at least `threshold` in the detector's answer to `view`.

    Of two of a kind whose boxes overlap by more than the model's `nms_iou` (1 where it has none) the
    less likely is left out, and so is what is not finite or has no area in the picture. Raises
    ValueError for an answer of another shape than the decoder's.
    """
    parts = [outputs[one.name][0] for one in model.outputs]
    boxes, scores = _decoder(model)(parts, model, threshold)
    if scores.shape[1] < len(model.labels):
        raise ValueError(f"{model.id} knows {scores.shape[1]} classes, not {len(model.labels)}")
    classes = scores.argmax(axis=1)
    best = scores[np.arange(len(scores)), classes]
    size = np.array((view.width, view.height) * 2, np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        boxes = np.clip(boxes / size, 0, 1)
        real = (boxes[:, 2:] > boxes[:, :2]).all(axis=1) & np.isfinite(boxes).all(axis=1)
        kept = np.flatnonzero(real & (best >= threshold) & (classes < len(model.labels)))
    kept = kept[np.argsort(-best[kept], kind="stable")][:MAX_CANDIDATES]
    iou = model.parameters.get("nms_iou", 1.0)
    if iou < 1 and len(kept):
        corners = np.hstack((boxes[kept, :2], boxes[kept, 2:] - boxes[kept, :2])) * size
        stay = cv2.dnn.NMSBoxesBatched(
            corners.tolist(), best[kept].tolist(), classes[kept].tolist(), 0.0, iou
        )
        kept = kept[np.sort(np.asarray(stay, np.intp).reshape(-1))]
    return Objects(boxes[kept].astype(np.float32), best[kept].astype(np.float32), classes[kept])


def _yolox(parts: list[NDArray[Any]], model: ModelSpec, least: float) -> Read:
    (cells,) = parts
    _, height, width, _ = model.inputs[0].shape
    grids = [np.indices((height // s, width // s))[::-1].reshape(2, -1).T for s in _STRIDES]
    strides = np.repeat(_STRIDES, [len(grid) for grid in grids])[:, None].astype(np.float32)
    if len(cells) != len(strides):
        raise ValueError(f"{model.id} has {len(cells)} cells, not {len(strides)}")
    # No class is likelier than that there is anything, and in nearly all cells there is nothing.
    there = cells[:, 4] >= least
    cells, strides = cells[there], strides[there]
    centres = (cells[:, :2] + np.concatenate(grids)[there]) * strides
    with np.errstate(over="ignore"):
        halves = np.exp(cells[:, 2:4]) * strides / 2
    boxes = np.hstack((centres - halves, centres + halves)).astype(np.float32)
    return boxes, cells[:, 4:5] * cells[:, 5:]


def _detr(parts: list[NDArray[Any]], model: ModelSpec, least: float) -> Read:
    logits, boxes = parts
    _, height, width, _ = model.inputs[0].shape
    halves = boxes[:, 2:] / 2
    corners = np.hstack((boxes[:, :2] - halves, boxes[:, :2] + halves))
    with np.errstate(over="ignore"):
        scores = 1 / (1 + np.exp(-logits.astype(np.float32)))
    boxes = (corners * (width, height, width, height)).astype(np.float32)
    return boxes, scores.astype(np.float32)


def _centernet(parts: list[NDArray[Any]], model: ModelSpec, least: float) -> Read:
    heatmap, reach = parts
    return read_maps(heatmap, reach)


def _yolov8(parts: list[NDArray[Any]], model: ModelSpec, least: float) -> Read:
    (columns,) = parts
    centres, halves = columns[:2].T, columns[2:4].T / 2
    boxes = np.hstack((centres - halves, centres + halves)).astype(np.float32)
    return boxes, columns[4:].T


READERS: Mapping[str, Reader] = {
    "yolox": _yolox,
    "detr": _detr,
    "centernet": _centernet,
    "yolov8": _yolov8,
}
"""What reads the outputs of each decoder that `core.models.DECODERS` has for this role."""


def _decoder(model: ModelSpec) -> Reader:
    if model.decoder not in READERS:
        raise ValueError(f"{model.id} declares the decoder {model.decoder!r}, not {list(READERS)}")
    return READERS[model.decoder]
