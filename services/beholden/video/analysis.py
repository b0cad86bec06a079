"""One video, analysed chunk by chunk: one decoding feeds all that is asked, and each chunk leaves a state."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from fractions import Fraction

from beholden.core.faces import DetectedFace, Landmarks, Pose, Quality
from beholden.core.geometry import Box, Point
from beholden.core.jobs import Annotation
from beholden.core.video import SECOND, Clip, Frame, VideoInfo
from beholden.video.checkpoint import Codec
from beholden.video.faces import FEATURES as FACE_FEATURES
from beholden.video.faces import Faces, FacesState, Kept
from beholden.video.features import Feature, Spec
from beholden.video.following import Best, Following
from beholden.video.intervals import Interval, Intervals
from beholden.video.objects import FEATURES as OBJECT_FEATURES
from beholden.video.objects import Objects, ObjectsState
from beholden.video.sample import Eyes, Sample
from beholden.video.scenes import FEATURES as SCENE_FEATURES
from beholden.video.scenes import Scenes, ScenesState
from beholden.video.settings import VideoSettings
from beholden.vision.activities import Doing
from beholden.vision.sampling import Pace, Sampler
from beholden.vision.segments import OpenSegment, Segment, Segmenter, SegmentKind
from beholden.vision.shots import ShotDetector
from beholden.vision.timecodes import timecode
from beholden.vision.tracks import Sighting, Track, Tracker

_SLOWER = 2.5
_LEAST = 0.55


@dataclass(slots=True)
class State:
    """What a chunk leaves to the next. `next_us` is where that begins; counts are of frames."""

    quick: Sampler
    slow: Sampler
    segmenter: Segmenter = field(default_factory=Segmenter)
    objects: ObjectsState = field(default_factory=ObjectsState)
    faces: FacesState = field(default_factory=FacesState)
    scenes: ScenesState = field(default_factory=ScenesState)
    next_us: int = 0
    frames: int = 0
    looked: int = 0
    found: int = 0
    ended: bool = False


class Analysis:
    """The analysis of one clip as `spec` asks, from `state` on."""

    def __init__(
        self,
        spec: Spec,
        tenant: str,
        eyes: Eyes,
        clip: Clip,
        *,
        workers: Executor,
        settings: VideoSettings,
        state: State | None = None,
    ) -> None:
        self._spec = spec
        self._clip = clip
        self._workers = workers
        self._settings = settings
        self.state = state or begin(settings)
        least = _LEAST if spec.min_confidence is None else spec.min_confidence
        info = clip.info
        wanted = set(spec.features)
        self._objects = (
            Objects(
                spec,
                eyes.labels,
                self.state.objects,
                least=least,
                aspect=info.width / info.height,
            )
            if wanted & OBJECT_FEATURES
            else None
        )
        self._faces = (
            Faces(spec, tenant, eyes.faces, eyes.matcher, self.state.faces)
            if wanted & FACE_FEATURES
            else None
        )
        self._scenes = (
            Scenes(spec, tenant, eyes, self.state.scenes, least=least)
            if wanted & SCENE_FEATURES
            else None
        )
        self._closely = bool(wanted - {Feature.SEGMENTS, Feature.TEXT})
        self._slowly = bool(wanted & {Feature.LABELS, Feature.TEXT})
        self._frame_us = round(SECOND / max(Fraction(1), info.rate))
        self._frames: Iterator[Frame] | None = None
        self._ahead: Frame | None = None

    async def chunk(self) -> list[Annotation]:
        """Analyses the next chunk, and the end of the video with the last one.

        Raises what the decoder and the services raise.
        """
        state = self.state
        state.next_us += int(self._settings.chunk_seconds * SECOND)
        found: list[Annotation] = []
        batches = self._batches(state.next_us)
        loop = asyncio.get_running_loop()
        reading = loop.run_in_executor(self._workers, next, batches, None)
        try:
            while (read := await asyncio.shield(reading)) is not None:
                # The next frames are decoded while these are looked at.
                reading = loop.run_in_executor(self._workers, next, batches, None)
                samples, segments = read
                found += self._segments(segments)
                if samples:
                    found += await self._see(samples)
        finally:
            # Decoding goes on in its thread when this is cancelled: the clip is closed after it.
            await asyncio.wait([reading])
        if state.ended:
            found += await self._finish()
        state.found += len(found)
        return found

    def _batches(self, end_us: int) -> Iterator[tuple[list[Sample], list[Segment]]]:
        """The frames of the chunk that are looked at, a few at a time, and the segments that ended."""
        state, samples, segments = self.state, list[Sample](), list[Segment]()
        for frame in self._until(end_us):
            glance = frame.glance()
            shot, over = state.segmenter.add(glance, frame.time_us, frame.index)
            segments += over
            state.frames = frame.index + 1
            slow = self._slowly and state.slow.chooses(glance, frame.time_us, shot=shot)
            quick = self._closely and state.quick.chooses(glance, frame.time_us, shot=shot)
            if not (slow or quick):
                continue
            state.looked += 1
            samples.append(self._sample(frame, shot=shot, scene=slow))
            if len(samples) >= self._settings.batch:
                yield samples, segments
                samples, segments = [], []
        if samples or segments:
            yield samples, segments

    def _until(self, end_us: int) -> Iterator[Frame]:
        if self._frames is None:
            start = end_us - int(self._settings.chunk_seconds * SECOND)
            self._frames = iter(self._clip.frames(start, self.state.frames))
        while True:
            frame, self._ahead = self._ahead or next(self._frames, None), None
            if frame is None:
                self.state.ended = True
                return
            if frame.time_us >= end_us:
                self._ahead = frame
                return
            yield frame

    def _sample(self, frame: Frame, *, shot: bool, scene: bool) -> Sample:
        pixels = frame.pixels(self._settings.side)
        info = self._clip.info
        scale = max(pixels.shape[:2]) / max(info.width, info.height)
        return Sample(frame.time_us, self._frame_us, shot, scene, pixels, scale)

    async def _see(self, samples: list[Sample]) -> list[Annotation]:
        looking = [one for one in (self._objects, self._faces, self._scenes) if one is not None]
        told = await asyncio.gather(*(one.see(samples) for one in looking))
        return [one for found in told for one in found]

    async def _finish(self) -> list[Annotation]:
        end_us = self._end_us()
        found = self._segments(self.state.segmenter.finish(end_us, self.state.frames))
        if self._objects is not None:
            found += self._objects.finish(end_us)
        if self._faces is not None:
            found += await self._faces.finish(end_us)
        if self._scenes is not None:
            found += self._scenes.finish(end_us)
        return found

    def _end_us(self) -> int:
        return self.state.segmenter.last_us + self._frame_us

    def _segments(self, segments: list[Segment]) -> list[Annotation]:
        if Feature.SEGMENTS not in self._spec.features:
            return []
        return [_segment(one, self._clip.info) for one in segments]


def begin(settings: VideoSettings) -> State:
    """The state before the first frame."""
    quick = Pace(settings.moving_seconds, settings.stirring_seconds, settings.still_seconds)
    slow = Pace(*(_SLOWER * one for one in (quick.moving, quick.stirring, quick.still)))
    return State(Sampler(quick), Sampler(slow))


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


def _segment(one: Segment, info: VideoInfo) -> Annotation:
    return Annotation(
        feature=Feature.SEGMENTS,
        name=one.kind.value,
        start_us=one.start_us,
        end_us=one.end_us,
        confidence=1.0,
        span=True,
        detail={
            "start_frame": one.start_frame,
            "end_frame": one.end_frame,
            "start_timecode": timecode(one.start_frame, info.rate),
            "end_timecode": timecode(one.end_frame, info.rate),
        },
    )
