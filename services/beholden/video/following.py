"""Things followed through a video, and the one picture that shows each best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from beholden.core.geometry import Box
from beholden.vision.tracks import Sighting, Track, Tracker

D = TypeVar("D")

_EDGE = 0.01
_CUT_OFF = 0.4


@dataclass(slots=True)
class Best(Generic[D]):
    """Where and when a track was at its best; `score` compares, `detail` is whatever belongs to it."""

    score: float
    time_us: int
    box: Box
    picture: bytes
    detail: D


@dataclass(slots=True)
class Following(Generic[D]):
    """A tracker, and of each track the best. `early` is where unconfirmed ones were seen."""

    tracker: Tracker = field(default_factory=Tracker)
    bests: dict[int, Best[D]] = field(default_factory=dict)
    early: dict[int, list[tuple[int, Sighting]]] = field(default_factory=dict)
    looked_us: int = 0

    def update(
        self, time_us: int, length_us: int, sightings: Sequence[Sighting]
    ) -> tuple[list[tuple[Track, Sighting]], list[tuple[int, Track, Sighting]], list[Track]]:
        """What is seen now; what can be told of it, with when; and the tracks that are over.

        A frame is shown for `length_us`. What was seen of a track before it is confirmed is told with that:
        until then it may be a mistake.
        """
        changed_us = halfway(self.looked_us, time_us, length_us)
        self.looked_us = time_us
        matched, over = self.tracker.update(time_us, sightings, changed_us=changed_us)
        told: list[tuple[int, Track, Sighting]] = []
        for track, sighting in matched:
            if not track.confirmed:
                self.early.setdefault(track.id, []).append((time_us, sighting))
                continue
            told += [(early_us, track, early) for early_us, early in self.early.pop(track.id, ())]
            told.append((time_us, track, sighting))
        return matched, told, self._confirmed(over)

    def finish(self, time_us: int) -> list[tuple[Track, int]]:
        """The tracks that are over since the shot or the video ends at `time_us`, each with its end.

        What was there when it was last looked is taken to have stayed.
        """
        ended = [
            (track, track.gone_us or time_us) for track in self._confirmed(self.tracker.finish())
        ]
        self.early.clear()
        self.looked_us = time_us
        return ended

    def improves(self, track: Track, score: float) -> bool:
        """Whether the track was never better."""
        best = self.bests.get(track.id)
        return best is None or score > best.score

    def _confirmed(self, over: Sequence[Track]) -> list[Track]:
        for track in over:
            if not track.confirmed:
                self.early.pop(track.id, None)
                self.bests.pop(track.id, None)
        return [track for track in over if track.confirmed]


def halfway(before_us: int, time_us: int, length_us: int) -> int:
    """When what differs between two looks changed, as far as they tell; frames last `length_us`.

    Of two frames that follow each other it is the second.
    """
    return time_us - max(0, time_us - before_us - length_us) // 2


def prominence(sighting: Sighting) -> float:
    """How well a sighting shows its thing: sure, large, and not cut off by the picture's edge."""
    box = sighting.box
    whole = min(box.x_min, box.y_min, 1 - box.x_max, 1 - box.y_max) > _EDGE
    return float(sighting.confidence * box.area**0.5 * (1.0 if whole else _CUT_OFF))
