"""What is told of faces that were found: pose and quality beside box, confidence and landmarks."""

from __future__ import annotations

import numpy as np

from beholden.core.faces import DetectedFace, Landmarks, Pixels
from beholden.core.geometry import Box, Point
from beholden.vision.align import chips
from beholden.vision.faces import FoundFaces
from beholden.vision.pose import estimate_poses
from beholden.vision.quality import assess


def describe(pixels: Pixels, found: FoundFaces, *, scale: float = 1.0) -> tuple[DetectedFace, ...]:
    """Each face of `found` in the picture `pixels`, in the same order.

    `scale` is what the pixels were reduced by against the full picture, so that `size` counts the
    full picture's pixels.
    """
    size = np.array(pixels.shape[1::-1])
    poses = estimate_poses(found.landmarks * size)
    sides = (found.boxes[:, 2:] - found.boxes[:, :2]) * size / scale
    # One chip at a time: those of a crowd together would take more memory than its picture.
    return tuple(
        DetectedFace(
            box=Box(*found.boxes[k].tolist()),
            confidence=float(found.scores[k]),
            landmarks=Landmarks(*(Point(x, y) for x, y in found.landmarks[k].tolist())),
            pose=poses[k],
            quality=assess(chips(pixels, found.landmarks[k : k + 1]))[0],
            size=float(sides[k].min()),
        )
        for k in range(len(found))
    )
