"""What is known of a face that was found in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from beholden.core.geometry import Box, Point

Template = NDArray[np.float32]
"""A face's embedding: float32, shape (D,), unit length. Biometric data: never logged, never in the ledger."""

UNIT_TOLERANCE = 1e-3
"""How far from 1 a template's length may be: far more than float32 rounding, far less than an error."""

Pixels = NDArray[np.uint8]
"""A picture or chip: uint8, shape (H, W, 3), RGB."""


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The five points by which a face is aligned; left and right are the picture's, not the person's."""

    left_eye: Point
    right_eye: Point
    nose: Point
    mouth_left: Point
    mouth_right: Point

    def points(self) -> tuple[Point, ...]:
        """The five in the order of the fields."""
        return (self.left_eye, self.right_eye, self.nose, self.mouth_left, self.mouth_right)


@dataclass(frozen=True, slots=True)
class Pose:
    """Head rotation in degrees, each in [-180, 180]; 0, 0, 0 looks straight into the camera.

    Roll is positive clockwise as seen in the picture, yaw positive when the face turns to the
    picture's right, pitch positive when it looks up.
    """

    roll: float
    yaw: float
    pitch: float


@dataclass(frozen=True, slots=True)
class Quality:
    """How usable the face's pixels are, each in [0, 1]: 0 is black or blurred, 1 bright or sharp."""

    brightness: float
    sharpness: float


@dataclass(frozen=True, slots=True)
class DetectedFace:
    """One face. `confidence` in [0, 1]; `size` is the box's shorter side in pixels of the full picture."""

    box: Box
    confidence: float
    landmarks: Landmarks
    pose: Pose
    quality: Quality
    size: float


@dataclass(frozen=True, slots=True)
class EmbeddedFace:
    """A detected face together with its template."""

    face: DetectedFace
    template: Template


class UnindexedReason(Enum):
    """Why a face that was found was not enrolled; the names are the proto enum's, less its prefix."""

    EXCEEDS_MAX_FACES = "EXCEEDS_MAX_FACES"
    EXTREME_POSE = "EXTREME_POSE"
    LOW_BRIGHTNESS = "LOW_BRIGHTNESS"
    LOW_SHARPNESS = "LOW_SHARPNESS"
    LOW_CONFIDENCE = "LOW_CONFIDENCE"
    SMALL_BOUNDING_BOX = "SMALL_BOUNDING_BOX"
