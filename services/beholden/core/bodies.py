"""The points of a human body, as they lie in a picture."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Body = NDArray[np.float32]
"""One person: float32 (17, 3), by `Joint`: x and y as shares of the picture (slightly outside [0, 1]
where a point is), and how sure it is, in [0, 1]."""


class Joint(IntEnum):
    """The points in the order of COCO; left and right are the person's own."""

    NOSE = 0
    LEFT_EYE = 1
    RIGHT_EYE = 2
    LEFT_EAR = 3
    RIGHT_EAR = 4
    LEFT_SHOULDER = 5
    RIGHT_SHOULDER = 6
    LEFT_ELBOW = 7
    RIGHT_ELBOW = 8
    LEFT_WRIST = 9
    RIGHT_WRIST = 10
    LEFT_HIP = 11
    RIGHT_HIP = 12
    LEFT_KNEE = 13
    RIGHT_KNEE = 14
    LEFT_ANKLE = 15
    RIGHT_ANKLE = 16
