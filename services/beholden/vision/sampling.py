"""Which frames are worth looking at: the first of a shot, and those in which something moved."""

from __future__ import annotations

from dataclasses import dataclass

from beholden.core.video import SECOND, Glance
from beholden.vision.glances import moved


@dataclass(frozen=True, slots=True)
class Pace:
    """How often frames are chosen, in seconds between two.

    `moving` where much moves (a tenth of the picture and more), `stirring` where anything does,
    `still` where nothing does.
    """

    moving: float = 0.3
    stirring: float = 1.0
    still: float = 2.0


EVERY_FRAME = Pace(0, 0, 0)
"""Chooses all frames: what faces are hidden by, and sampling is measured against."""

_STIRS = 0.002
_MOVES = 0.015


@dataclass(slots=True)
class Sampler:
    """Chooses frames by what moved since the last one that was chosen."""

    pace: Pace
    last: Glance | None = None
    last_us: int = 0

    def chooses(self, glance: Glance, time_us: int, *, shot: bool, eager: bool = False) -> bool:
        """Whether this frame is to be analysed; `shot` says that it begins one.

        Who is `eager` does not wait for something to move.
        """
        if self.last is not None and not shot:
            # Half a frame's slack at 30 frames a second, so that 0.3 s is every ninth, not tenth.
            waited = (time_us - self.last_us) / SECOND + 1 / 60
            if waited < self.pace.moving:
                return False
            if waited < self.pace.still and not eager and waited < self._patience(glance):
                return False
        self.last, self.last_us = glance, time_us
        return True

    def _patience(self, glance: Glance) -> float:
        assert self.last is not None
        share = moved(self.last, glance)
        if share >= _MOVES:
            return self.pace.moving
        return self.pace.stirring if share >= _STIRS else self.pace.still
