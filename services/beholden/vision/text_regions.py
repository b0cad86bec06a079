"""From a picture to the text detector's input, and from its map to where lines of text are.

The map tells for each pixel how likely it lies in the core of a line, the line shrunk on all sides
(Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", 2019).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from beholden.core.faces import Pixels
from beholden.core.models import ModelSpec
from beholden.vision.scaling import resized

Floats = NDArray[np.float32]

MAX_LINES = 1000
"""Regions considered in one picture, the largest first: bounds what a hostile picture can cost."""

ALL_LINES = 10_000
"""More than any picture has that can be read; for those who must not miss one."""

_MULTIPLE = 32
_LEAST_CORE = 3.0  # pixels of the map: what is thinner is noise
_LEAST_LINE = 5.0


class TextInput(NamedTuple):
    """`batch` is uint8 (1, H, W, 3); the picture fills its upper left `width` x `height`."""

    batch: Pixels
    width: int
    height: int


def detector_input(pixels: Pixels, side: int) -> TextInput:
    """The picture reduced to the area of `side` x 3/4 `side`, then padded to multiples of 32.

    By area, not by side: a long strip keeps its height, and costs no more than a photograph.
    """
    height, width = pixels.shape[:2]
    ratio = min(1.0, side * math.sqrt(0.75 / (height * width)))
    inner = max(1, round(width * ratio)), max(1, round(height * ratio))
    batch = np.zeros((1, _round_up(inner[1]), _round_up(inner[0]), 3), np.uint8)
    batch[0, : inner[1], : inner[0]] = resized(pixels, *inner)
    return TextInput(batch, *inner)


class Places(NamedTuple):
    """Where lines are: (K, 4, 2) x, y as shares of the picture, in reading order of rows.

    Corners are those of the least rectangle around each line, from the upper left clockwise as the
    rectangle lies, outside [0, 1] at the picture's edge. `scores` (K,) in [0, 1] is how sure the
    detector is that each is text.
    """

    lines: Floats
    scores: Floats


def find_lines(
    probabilities: Floats, model: ModelSpec, seen: TextInput, most: int = MAX_LINES
) -> Places:
    """Where lines are by the detector's map, `probabilities` (H, W) in [0, 1]."""
    limits = model.parameters
    core = (probabilities > limits["pixel_threshold"]).astype(np.uint8)
    core[seen.height :], core[:, seen.width :] = 0, 0
    grown = cv2.dilate(core, np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(grown, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found, scores = [], []
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:most]:
        centre, size, angle = cv2.minAreaRect(contour)
        if min(size) < _LEAST_CORE:
            continue
        score = _mean_within(probabilities, _corners(centre, size, angle))
        if score < limits["score_threshold"]:
            continue
        # The line is its core grown by area * unclip / perimeter on all sides.
        growth = size[0] * size[1] * limits["unclip"] / (size[0] + size[1])
        whole = (size[0] + growth, size[1] + growth)
        if min(whole) >= _LEAST_LINE:
            found.append(_from_upper_left(_corners(centre, whole, angle)))
            scores.append(score)
    picture = np.array((seen.width, seen.height), np.float32)
    lines = np.array(found, np.float32).reshape(-1, 4, 2) / picture
    order = reading_order(lines)
    return Places(lines[order], np.array(scores, np.float32)[order])


def reading_order(lines: Floats) -> NDArray[np.intp]:
    """Indices of lines (K, 4, 2) row by row, from the left in each.

    A line is in the row above it where its centre is level with the row's first line.
    """
    top, bottom = lines[:, :, 1].min(axis=1), lines[:, :, 1].max(axis=1)
    centre, left = (top + bottom) / 2, lines[:, :, 0].min(axis=1)
    rows: list[list[int]] = []
    for index in np.argsort(centre, kind="stable").tolist():
        first = rows[-1][0] if rows else -1
        if rows and centre[index] < (centre[first] + bottom[first]) / 2:
            rows[-1].append(index)
        else:
            rows.append([index])
    ordered = [index for row in rows for index in sorted(row, key=left.__getitem__)]
    return np.array(ordered, np.intp)


def _corners(centre: Sequence[float], size: Sequence[float], angle: float) -> Floats:
    """Of a rectangle: (4, 2)."""
    return np.asarray(cv2.boxPoints((centre, size, angle)), np.float32)


def _mean_within(probabilities: Floats, corners: Floats) -> float:
    """The mean over the pixels of a rectangle (4, 2)."""
    height, width = probabilities.shape
    low = np.clip(np.floor(corners.min(axis=0)), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)), 0, (width - 1, height - 1)).astype(int) + 1
    mask = np.zeros((high - low)[::-1], np.uint8)
    cv2.fillPoly(mask, [np.round(corners - low).astype(np.int32)], 1)
    return float(cv2.mean(probabilities[low[1] : high[1], low[0] : high[0]], mask)[0])


def _from_upper_left(corners: Floats) -> Floats:
    """A rectangle's corners (4, 2) clockwise, from the start of its longer side's upper left end.

    Text taller than one and a half times its width is taken to run down the picture.
    """
    clockwise = corners[np.argsort(np.arctan2(*(corners - corners.mean(axis=0)).T[::-1]))]
    first = int(clockwise.sum(axis=1).argmin())
    turned = np.roll(clockwise, -first, axis=0)
    across, down = (np.linalg.norm(turned[k] - turned[k - 1]) for k in (1, 2))
    return np.roll(turned, -1, axis=0) if down >= 1.5 * across else turned


def _round_up(length: int) -> int:
    return -(-length // _MULTIPLE) * _MULTIPLE
