"""Whether a face is good enough to be enrolled in a collection, and why not."""

from __future__ import annotations

from dataclasses import dataclass

from beholden.core.faces import DetectedFace, Pose, Quality, UnindexedReason


@dataclass(frozen=True, slots=True)
class EnrolmentLimits:
    """What a face must have to be enrolled; the defaults are the AUTO quality filter.

    They were measured with the default models. On group photographs, of pairs of strangers among
    faces under 15 pixels 5 % reach a cosine of 0.95, at 20 to 25 pixels 3 %, from 30 on 0.2 %:
    small faces would match anybody. A portrait keeps a cosine of 0.95 to itself until it is blurred
    to sharpness 0.2 or darkened to brightness 0.03.
    """

    confidence: float = 0.6
    """The detector's, at least, in [0, 1]."""

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


NO_LIMITS = EnrolmentLimits(
    confidence=0.0, size=0.0, brightness=0.0, sharpness=0.0, yaw=180.0, pitch=180.0
)
"""The NONE quality filter: every face that was found."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured of a face, as `DetectedFace` has it."""

    confidence: float
    size: float
    quality: Quality
    pose: Pose


def enrolment_problems(
    face: DetectedFace | Measures, limits: EnrolmentLimits
) -> tuple[UnindexedReason, ...]:
    """Every reason not to enrol the face, empty where it is good enough.

    A measure that is not a number counts as failed.
    """
    passed = {
        UnindexedReason.EXTREME_POSE: abs(face.pose.yaw) <= limits.yaw
        and abs(face.pose.pitch) <= limits.pitch,
        UnindexedReason.LOW_BRIGHTNESS: face.quality.brightness >= limits.brightness,
        UnindexedReason.LOW_SHARPNESS: face.quality.sharpness >= limits.sharpness,
        UnindexedReason.LOW_CONFIDENCE: face.confidence >= limits.confidence,
        UnindexedReason.SMALL_BOUNDING_BOX: face.size >= limits.size,
    }
    return tuple(reason for reason, good in passed.items() if not good)
