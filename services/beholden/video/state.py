"""What an analysis knows so far, and how it is written down between two chunks."""

from __future__ import annotations

from dataclasses import dataclass, field

from beholden.core.faces import DetectedFace, Landmarks, Pose, Quality
from beholden.core.geometry import Box, Point
from beholden.video.actions import ActionsState
from beholden.video.checkpoint import Codec
from beholden.video.faces import FacesState, Kept
from beholden.video.following import Best, Following
from beholden.video.intervals import Interval, Intervals
from beholden.video.objects import ObjectsState
from beholden.video.scenes import ScenesState
from beholden.video.settings import VideoSettings
from beholden.vision.activities import Doing
from beholden.vision.sampling import EVERY_FRAME, Pace, Sampler
from beholden.vision.segments import OpenSegment, Segment, Segmenter, SegmentKind
from beholden.vision.shots import ShotDetector
from beholden.vision.tracks import Sighting, Track, Tracker

_SLOWER = 2.5


@dataclass(slots=True)
class State:
    """What a chunk leaves to the next. `next_us` is where that begins; counts are of frames."""

    quick: Sampler
    slow: Sampler
    segmenter: Segmenter = field(default_factory=Segmenter)
    objects: ObjectsState = field(default_factory=ObjectsState)
    faces: FacesState = field(default_factory=FacesState)
    scenes: ScenesState = field(default_factory=ScenesState)
    actions: ActionsState = field(default_factory=ActionsState)
    steps: Sampler | None = None
    next_us: int = 0
    frames: int = 0
    looked: int = 0
    found: int = 0
    ended: bool = False


def begin(settings: VideoSettings, *, every_frame: bool = False) -> State:
    """The state before the first frame."""
    quick = Pace(settings.moving_seconds, settings.stirring_seconds, settings.still_seconds)
    slow = Pace(*(_SLOWER * one for one in (quick.moving, quick.stirring, quick.still)))
    return State(Sampler(EVERY_FRAME if every_frame else quick), Sampler(slow))


CODEC = Codec(
    (
        State,
        Sampler,
        Pace,
        Segmenter,
        ShotDetector,
        Segment,
        SegmentKind,
        OpenSegment,
        ObjectsState,
        FacesState,
        ScenesState,
        ActionsState,
        Following,
        Best,
        Kept,
        Tracker,
        Track,
        Sighting,
        Intervals,
        Interval,
        Doing,
        Box,
        Point,
        DetectedFace,
        Landmarks,
        Pose,
        Quality,
    )
)
