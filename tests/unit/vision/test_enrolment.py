from dataclasses import replace

import pytest

from beholden.core.faces import DetectedFace, Landmarks, Pose, Quality, UnindexedReason
from beholden.core.geometry import Box, Point
from beholden.vision.enrolment import NO_LIMITS, EnrolmentLimits, enrolment_problems

NAN = float("nan")
GOOD = DetectedFace(
    box=Box(0.1, 0.1, 0.3, 0.4),
    confidence=0.9,
    landmarks=Landmarks(*[Point(0.2, 0.2)] * 5),
    pose=Pose(0, 0, 0),
    quality=Quality(0.5, 0.7),
    size=120,
)
POSE = UnindexedReason.EXTREME_POSE
DARK = UnindexedReason.LOW_BRIGHTNESS
BLURRED = UnindexedReason.LOW_SHARPNESS
DOUBTFUL = UnindexedReason.LOW_CONFIDENCE
SMALL = UnindexedReason.SMALL_BOUNDING_BOX


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        ({}, ()),
        ({"size": 40}, ()),
        ({"size": 39.9}, (SMALL,)),
        ({"confidence": 0.6}, ()),
        ({"confidence": 0.59}, (DOUBTFUL,)),
        ({"quality": Quality(0.1, 0.25)}, ()),
        ({"quality": Quality(0.09, 0.25)}, (DARK,)),
        ({"quality": Quality(0.1, 0.24)}, (BLURRED,)),
        ({"pose": Pose(180, 45, -35)}, ()),
        ({"pose": Pose(0, -45.1, 0)}, (POSE,)),
        ({"pose": Pose(0, 0, 35.1)}, (POSE,)),
        ({"size": NAN}, (SMALL,)),
        (
            {"pose": Pose(NAN, NAN, NAN), "quality": Quality(NAN, NAN), "confidence": NAN},
            (POSE, DARK, BLURRED, DOUBTFUL),
        ),
        (
            {"size": 25, "quality": Quality(0.02, 0.1), "pose": Pose(0, 80, 0), "confidence": 0.5},
            (POSE, DARK, BLURRED, DOUBTFUL, SMALL),
        ),
    ],
)
def test_every_reason_not_to_enrol(
    change: dict[str, object], problems: tuple[UnindexedReason, ...]
) -> None:
    face = replace(GOOD, **change)  # type: ignore[arg-type]
    assert enrolment_problems(face, EnrolmentLimits()) == problems
    if NAN not in change.values() and not any(value != value for value in (face.confidence,)):
        assert enrolment_problems(face, NO_LIMITS) == ()


def test_an_operator_sets_each_limit() -> None:
    strict = EnrolmentLimits(confidence=0.95, size=200, brightness=0.6, sharpness=0.8)
    assert enrolment_problems(GOOD, strict) == (DARK, BLURRED, DOUBTFUL, SMALL)
