"""How usable a face's pixels are, and whether the face is good enough to be enrolled."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from beholden.core.faces import DetectedFace, Pixels, Quality, UnindexedReason

_FACE = slice(30, 120)  # brows to chin of the 150 px chip, without hair and background
_SMOOTHING = 1.0  # sigma in pixels of the chip: without it, sensor noise would count as sharpness
_DARKNESS = 8.0  # keeps the noise of near-black faces from counting as detail
_HALF_SHARP = 6e-4  # the detail that is called 0.5: a portrait blurred by 1.5 pixels of its chip


def assess(chips: Pixels) -> tuple[Quality, ...]:
    """The quality of the face in each of `chips` (N, 150, 150, 3).

    Brightness is the mean luma (ITU-R BT.601) over 255. Sharpness is v / (v + 6e-4), v being the
    variance of the smoothed luma's Laplacian over its squared mean, so that exposure hardly
    counts: about 0.8 for a sharp portrait, 0.4 and 0.2 for the same blurred by a sigma of 2 and 3
    pixels of its chip, 0.1 for a face of 20 pixels.
    """
    return tuple(_assess(chip[_FACE, _FACE]) for chip in chips)


def _assess(face: Pixels) -> Quality:
    luma = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mean = float(luma.mean())
    detail = cv2.Laplacian(cv2.GaussianBlur(luma, (0, 0), _SMOOTHING), cv2.CV_32F)
    variance = float(detail.var()) / (mean + _DARKNESS) ** 2
    return Quality(brightness=mean / 255, sharpness=variance / (variance + _HALF_SHARP))


@dataclass(frozen=True, slots=True)
class EnrolmentThresholds:
    """What a face must have to be enrolled.

    The defaults were measured with the default models. On group photographs, of pairs of strangers
    among faces under 15 pixels 5 % reach a cosine of 0.95, at 20 to 25 pixels 3 %, from 30 on 0.2 %:
    small faces would match anybody. A portrait keeps a cosine of 0.95 to itself until it is blurred
    to sharpness 0.2 or darkened to brightness 0.03.
    """

    confidence: float = 0.6
    """The detector's, at least."""

    size: float = 40.0
    """The box's shorter side in pixels of the full picture, at least."""

    brightness: float = 0.1
    """At least, in [0, 1]."""

    sharpness: float = 0.25
    """At least, in [0, 1]."""

    yaw: float = 45.0
    """Degrees to either side, at most."""

    pitch: float = 35.0
    """Degrees up or down, at most. Roll does not count: alignment undoes it."""


def enrolment_problems(
    face: DetectedFace, thresholds: EnrolmentThresholds
) -> tuple[UnindexedReason, ...]:
    """Every reason not to enrol the face; empty where it is good enough.

    A measure that is not a number counts as failed.
    """
    passed = {
        UnindexedReason.EXTREME_POSE: abs(face.pose.yaw) <= thresholds.yaw
        and abs(face.pose.pitch) <= thresholds.pitch,
        UnindexedReason.LOW_BRIGHTNESS: face.quality.brightness >= thresholds.brightness,
        UnindexedReason.LOW_SHARPNESS: face.quality.sharpness >= thresholds.sharpness,
        UnindexedReason.LOW_CONFIDENCE: face.confidence >= thresholds.confidence,
        UnindexedReason.SMALL_BOUNDING_BOX: face.size >= thresholds.size,
    }
    return tuple(reason for reason, good in passed.items() if not good)
