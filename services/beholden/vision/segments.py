"""From frames to segments: shots, and stretches of black frames, colour bars and end credits."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from beholden.core.video import SECOND, Glance
from beholden.vision.cues import Cue, cue
from beholden.vision.shots import ShotDetector

_SHORTEST_US = {Cue.BLACK_FRAMES: 0, Cue.COLOR_BARS: SECOND // 2, Cue.END_CREDITS: 4 * SECOND}
_AFTER_CREDITS_US = 10 * SECOND
_PAUSE_US = SECOND


class SegmentKind(Enum):
    """What a segment is; the names are the proto enum's, less its prefix."""

    SHOT = "SHOT"
    BLACK_FRAMES = "BLACK_FRAMES"
    COLOR_BARS = "COLOR_BARS"
    END_CREDITS = "END_CREDITS"


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of frames, half-open: `end_frame` and `end_us` are those of the first frame after it."""

    kind: SegmentKind
    start_us: int
    end_us: int
    start_frame: int
    end_frame: int


@dataclass(slots=True)
class OpenSegment:
    """A segment that goes on: when and where it began, and the last frame that surely was of it."""

    kind: SegmentKind
    start_us: int
    start_frame: int
    last_us: int
    last_frame: int


@dataclass(slots=True)
class Segmenter:
    """Takes every frame in order, gives each segment once it is over, and the rest at the end."""

    shots: ShotDetector = field(default_factory=ShotDetector)
    shot: OpenSegment | None = None
    cued: OpenSegment | None = None
    credits: Segment | None = None
    last_us: int = 0

    def add(self, glance: Glance, time_us: int, index: int) -> tuple[bool, list[Segment]]:
        """Whether the frame begins a shot, and the segments that ended before it."""
        ended: list[Segment] = []
        self.last_us = time_us
        begins = self.shots.begins(glance, time_us)
        if begins:
            if self.shot is not None:
                ended.append(_closed(self.shot, time_us, index))
            self.shot = OpenSegment(SegmentKind.SHOT, time_us, index, time_us, index)
        ended += self._cue(cue(glance), time_us, index)
        return begins, ended

    def finish(self, end_us: int, end_frame: int) -> list[Segment]:
        """What is open when the video ends, where its next frame would have been."""
        ended = []
        if self.shot is not None:
            ended.append(_closed(self.shot, end_us, end_frame))
        ended += self._close_cue(end_us, end_frame)
        if self.credits is not None and end_us - self.credits.end_us <= _AFTER_CREDITS_US:
            ended.append(self.credits)
        self.shot = self.cued = self.credits = None
        return ended

    def _cue(self, found: Cue | None, time_us: int, index: int) -> list[Segment]:
        kind = None if found is None else SegmentKind(found.value)
        open_ = self.cued
        if open_ is not None and kind is open_.kind:
            open_.last_us, open_.last_frame = time_us, index
            return []
        # Between two cards, or while a line fades in, there is nothing to read for a moment.
        if (
            open_ is not None
            and kind is None
            and open_.kind is SegmentKind.END_CREDITS
            and time_us - open_.last_us < _PAUSE_US
        ):
            return []
        ended = self._close_cue(time_us, index)
        if kind is not None:
            self.cued = OpenSegment(kind, time_us, index, time_us, index)
        return ended

    def _close_cue(self, end_us: int, end_frame: int) -> list[Segment]:
        open_, self.cued = self.cued, None
        if open_ is None:
            return []
        segment = _closed(open_, end_us, end_frame)
        if end_us - open_.start_us < _SHORTEST_US[Cue(open_.kind.value)]:
            return []
        if open_.kind is SegmentKind.END_CREDITS:
            self.credits = segment  # told at the end, and only if little came after
            return []
        return [segment]


def _closed(one: OpenSegment, end_us: int, end_frame: int) -> Segment:
    return Segment(one.kind, one.start_us, end_us, one.start_frame, end_frame)
