"""What two frames at a glance tell: how much changed between them, and where something moved."""

from __future__ import annotations

import cv2
import numpy as np

from beholden.core.video import Glance

_MOVED = 18
"""A pixel moved whose luma changed by more; sensor noise, averaged in a glance, stays under 6."""


def change(before: Glance, after: Glance) -> float:
    """The mean absolute difference of all three channels, in [0, 255]; 255 where the sizes differ."""
    if before.shape != after.shape:
        return 255.0
    return float(cv2.norm(before, after, cv2.NORM_L1) / before.size)


def moved(before: Glance, after: Glance) -> float:
    """The share of pixels whose brightness changed visibly, in [0, 1]; 1 where the sizes differ."""
    if before.shape != after.shape:
        return 1.0
    return float(
        np.count_nonzero(cv2.absdiff(luma(before), luma(after)) > _MOVED) / before[..., 0].size
    )


def luma(glance: Glance) -> Glance:
    """Brightness (ITU-R BT.601): uint8 (H, W)."""
    return np.asarray(cv2.cvtColor(glance, cv2.COLOR_RGB2GRAY), np.uint8)
