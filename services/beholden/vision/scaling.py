"""Reducing and enlarging pixels: one rule for every picture, so that scores stay comparable."""

from __future__ import annotations

import cv2
import numpy as np

from beholden.core.faces import Pixels


def fit_within(width: int, height: int, side: int) -> tuple[int, int]:
    """(width, height) reduced, never enlarged, so that the longer is at most `side`; each >= 1."""
    ratio = min(1.0, side / max(width, height))
    return max(1, round(width * ratio)), max(1, round(height * ratio))


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """`pixels` (H, W, 3) as (height, width, 3); the same array where nothing changes.

    Area averaging where both sides shrink, so that fine texture does not alias; else linear.
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    shrinks = height <= pixels.shape[0] and width <= pixels.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=method), np.uint8)
