"""From CenterNet's maps to boxes: objects are the peaks of a heat map, and reach to their edges.

Zhou et al., "Objects as Points", 2019; the reach to all four edges instead of a size is that of
Liu et al., "Training-Time-Friendly Network for Real-Time Object Detection", 2020.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

STRIDE = 4
"""Pixels of the input between two cells of the maps."""

MAX_PEAKS = 100
"""Peaks read in one picture, the highest first, as the model's own graph has it."""

_AROUND = np.ones((3, 3), np.uint8)


def read_maps(heatmap: Floats, reach: Floats) -> tuple[Floats, Floats]:
    """The boxes and scores of the `MAX_PEAKS` highest peaks of one picture's maps.

    `heatmap` (C, h, w) is how likely each class's centre lies in a cell, in [0, 1]; `reach`
    (4, h, w) how far the left, upper, right and lower edges are from the cell's corner, in pixels.
    A peak is what none of its eight neighbours exceeds. Returns boxes (K, 4) x_min, y_min, x_max,
    y_max in pixels of the input, and scores (K, C), 0 but for the peak's class; the highest first.

    Raises ValueError for maps of other shapes.
    """
    if heatmap.ndim != 3 or reach.shape != (4, *heatmap.shape[1:]):
        raise ValueError(f"maps of shapes {heatmap.shape} and {reach.shape} do not fit together")
    highest = np.stack([cv2.dilate(one, _AROUND) for one in heatmap])
    # What is not a number is above nothing, and so no peak.
    peaks = np.flatnonzero((heatmap >= highest) & (heatmap > 0))
    heat = heatmap.ravel()[peaks]
    order = np.argsort(-heat, kind="stable")[:MAX_PEAKS]
    classes, rows, columns = np.unravel_index(peaks[order], heatmap.shape)
    centres = np.stack((columns, rows), axis=1).astype(np.float32) * STRIDE
    edges = reach[:, rows, columns].T
    scores = np.zeros((len(order), len(heatmap)), np.float32)
    scores[np.arange(len(order)), classes] = heat[order]
    return np.hstack((centres - edges[:, :2], centres + edges[:, 2:])), scores
