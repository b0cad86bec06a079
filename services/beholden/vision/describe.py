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
    faces = []
    for box, score, points, pose, face_sides in zip(
        found.boxes.tolist(),
        found.scores.tolist(),
        found.landmarks.tolist(),
        poses,
        sides.tolist(),
        strict=True,
    ):
        landmarks = Landmarks(*(Point(*point) for point in points))
        # One chip at a time: a crowd's chips together would take more memory than its picture.
        (chip,) = chips(pixels, [landmarks])
        faces.append(
            DetectedFace(
                box=Box(*box),
                confidence=score,
                landmarks=landmarks,
                pose=pose,
                quality=assess(chip),
                size=min(face_sides),
            )
        )
    return tuple(faces)
