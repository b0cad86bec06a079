"""How a body holds itself, from its points: standing, sitting, lying, a hand raised."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from beholden.core.bodies import Body, Joint
from beholden.core.geometry import Box

STANDING = "Standing"
SITTING = "Sitting"
LYING = "Lying"

_SURE = 0.3  # what MoveNet's authors take for a point that is seen
_UPRIGHT = 45.0  # degrees of the trunk from the vertical
_FLAT = 60.0
_STANDS = 0.6  # how far the knees are below the hips, by the length of the trunk
_SITS = 0.55
_THIGH = 0.5  # by the length of the shin: a camera that looks down shortens both of who stands
_INSIDE = 0.06  # knees that lie at the lower edge of a box are guessed where legs are hidden

_SHOULDERS = (Joint.LEFT_SHOULDER, Joint.RIGHT_SHOULDER)
_HIPS = (Joint.LEFT_HIP, Joint.RIGHT_HIP)
_KNEES = (Joint.LEFT_KNEE, Joint.RIGHT_KNEE)
_ANKLES = (Joint.LEFT_ANKLE, Joint.RIGHT_ANKLE)
_EYES = (Joint.LEFT_EYE, Joint.RIGHT_EYE)
_ARMS = (
    (Joint.LEFT_WRIST, Joint.LEFT_ELBOW),
    (Joint.RIGHT_WRIST, Joint.RIGHT_ELBOW),
)


def posture(body: Body, box: Box, aspect: float) -> str:
    """STANDING, SITTING, LYING, or "" where the points that tell are not seen.

    `box` is the person's, `aspect` the picture's width by its height. The trunk leads from the
    middle of the shoulders to that of the hips.
    """
    shoulders, hips = _middle(body, _SHOULDERS, aspect), _middle(body, _HIPS, aspect)
    if shoulders is None or hips is None:
        return ""
    x, y = (hips - shoulders).tolist()
    trunk = math.hypot(x, y)
    lean = math.degrees(math.atan2(abs(x), y))
    knees, ankles = _lowest(body, _KNEES), _lowest(body, _ANKLES)
    if trunk < 1e-6 or knees is None:
        return ""
    thigh = knees - float(hips[1])
    if lean >= _FLAT:
        # Who bends down still stands on legs that lead down.
        return LYING if abs(thigh) < _STANDS * trunk else ""
    if lean > _UPRIGHT:
        return ""
    if thigh >= _STANDS * trunk:
        return STANDING
    hidden = knees > box.y_max - _INSIDE * box.height
    shortened = ankles is not None and thigh > _THIGH * abs(ankles - knees)
    return SITTING if thigh < _SITS * trunk and not hidden and not shortened else ""


def raises_hand(body: Body) -> bool:
    """Whether a wrist is above the eyes and above its elbow."""
    eyes = [body[eye, 1] for eye in _EYES if body[eye, 2] >= _SURE]
    return bool(eyes) and any(
        min(body[wrist, 2], body[elbow, 2]) >= _SURE and body[wrist, 1] < min(*eyes, body[elbow, 1])
        for wrist, elbow in _ARMS
    )


def _lowest(body: Body, joints: Iterable[Joint]) -> float | None:
    """How far down the lowest of those that are seen is."""
    return max((float(body[joint, 1]) for joint in joints if body[joint, 2] >= _SURE), default=None)


def _middle(body: Body, joints: Iterable[Joint], aspect: float) -> NDArray[np.float32] | None:
    """The mean of those that are seen, in heights of the picture."""
    seen = [body[joint, :2] * (aspect, 1) for joint in joints if body[joint, 2] >= _SURE]
    return np.mean(seen, axis=0) if seen else None
