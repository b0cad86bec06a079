"""How a head is turned, from five landmarks seen by a distant camera.

The landmarks of a generic face in three dimensions are fitted to those in the picture as a scaled
rotation, shift and projection along the line of sight (weak perspective), in closed form.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from beholden.core.faces import Pose

# Centimetres; x to the picture's right, y down, z away from the camera. From the canonical face of
# MediaPipe's face geometry module (Apache-2.0): eyes are the means of vertices 33, 133 and of 263,
# 362; the nose is vertex 1; the corners of the mouth are 61 and 291.
FACE = np.array(
    (
        (-3.151, -2.625, -3.466),
        (3.151, -2.625, -3.466),
        (0.000, 1.127, -7.476),
        (-2.456, 4.343, -4.284),
        (2.456, 4.343, -4.284),
    )
)
_SOLVE = np.linalg.pinv(FACE - FACE.mean(axis=0)).T


def estimate_poses(landmarks: NDArray[np.floating]) -> tuple[Pose, ...]:
    """The pose of each of `landmarks` (N, 5, 2): x, y in pixels, in the order of `core.faces`.

    Turning the picture by an angle turns roll by it and leaves the rest; a mirrored picture has
    roll and yaw reversed. A real face differs from the generic one: expect errors of 5 to 10
    degrees, more beyond 60.
    """
    centred = landmarks - landmarks.mean(axis=1, keepdims=True)
    rows = _nearest_rotation(centred.transpose(0, 2, 1) @ _SOLVE)
    roll = np.arctan2(rows[:, 1, 0], rows[:, 0, 0])
    yaw = np.arcsin(np.clip(rows[:, 2, 0], -1, 1))
    pitch = -np.arctan2(rows[:, 2, 1], rows[:, 2, 2])
    degrees = np.degrees(np.stack((roll, yaw, pitch), axis=1))
    return tuple(Pose(*angles) for angles in degrees.tolist())


def _nearest_rotation(projections: NDArray[np.floating]) -> NDArray[np.floating]:
    """Rotations (N, 3, 3), roll * yaw * pitch, whose first two rows best fit (N, 2, 3)."""
    left, _, right = np.linalg.svd(projections, full_matrices=False)
    rows = left @ right
    return np.concatenate((rows, np.cross(rows[:, 0], rows[:, 1])[:, None]), axis=1)
