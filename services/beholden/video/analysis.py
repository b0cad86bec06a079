"""One video, analysed chunk by chunk: one decoding feeds all that is asked, and each chunk leaves a state."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor

from beholden.core.jobs import Annotation
from beholden.core.video import SECOND, Clip, Frame, VideoInfo
from beholden.video.features import Feature, Spec
from beholden.video.looking import Looking
from beholden.video.sample import Eyes, Sample
from beholden.video.settings import VideoSettings
from beholden.video.state import State, begin
from beholden.vision.segments import Segment
from beholden.vision.timecodes import timecode


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
        self.state = state or begin(settings, every_frame=spec.every_frame)
        info = clip.info
        self._looking = Looking(
            spec,
            tenant,
            eyes,
            self.state,
            aspect=info.width / info.height,
            rate=info.rate,
            settings=settings,
        )
        self._frames: Iterator[Frame] | None = None
        self._ahead: Frame | None = None
        self._stopped = False

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
                    found += await self._looking.see(samples)
        except BaseException:
            self._stopped = True
            raise
        finally:
            # Decoding goes on in its thread when this is cancelled: the clip is closed after it.
            await asyncio.wait([reading])
        if state.ended:
            found += await self._finish()
        state.found += len(found)
        return found

    def _batches(self, end_us: int) -> Iterator[tuple[list[Sample], list[Segment]]]:
        """The frames of the chunk that are looked at, a few at a time, and the segments that ended."""
        samples, segments = list[Sample](), list[Segment]()
        for frame in self._until(end_us):
            sample, over = self._looking.choose(frame)
            segments += over
            if sample is None:
                continue
            samples.append(sample)
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
            if self._stopped:
                return
            yield frame

    async def _finish(self) -> list[Annotation]:
        end_us = self.state.segmenter.last_us + self._looking.frame_us
        found = self._segments(self.state.segmenter.finish(end_us, self.state.frames))
        return found + await self._looking.finish(end_us)

    def _segments(self, segments: list[Segment]) -> list[Annotation]:
        if Feature.SEGMENTS not in self._spec.features:
            return []
        return [_segment(one, self._clip.info) for one in segments]


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
