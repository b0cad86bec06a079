"""From what single frames show to how long it is seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from beholden.core.geometry import Box
from beholden.video.following import halfway

_MISSES = 2


@dataclass(slots=True)
class Interval:
    """As long as the same is seen, until it was first missed: `end_us`, 0 while it is there.

    `box` is where it was at its best, `place` where it was last.
    """

    name: str
    start_us: int
    confidence: float
    best_us: int
    box: Box | None
    parents: tuple[str, ...] = ()
    end_us: int = 0
    misses: int = 0
    place: Box | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing in one frame."""

    name: str
    confidence: float
    box: Box | None = None
    parents: tuple[str, ...] = ()


@dataclass(slots=True)
class Intervals:
    """What is seen now, by name; one frame without it is a blink, with the second it was gone."""

    open: dict[str, Interval] = field(default_factory=dict)
    looked_us: int | None = None

    def see(
        self, time_us: int, seen: Iterable[Seen], length_us: int | None = None
    ) -> list[Interval]:
        """The intervals that are over.

        With the length of a frame, what changed since the last look did so half way; else now.
        """
        changed_us = time_us
        if length_us is not None and self.looked_us is not None:
            changed_us = halfway(self.looked_us, time_us, length_us)
        self.looked_us = time_us
        here = set()
        for one in seen:
            here.add(one.name)
            interval = self.open.get(one.name)
            if interval is None:
                interval = self.open[one.name] = Interval(
                    one.name, changed_us, one.confidence, time_us, one.box, one.parents
                )
            interval.end_us, interval.misses, interval.place = 0, 0, one.box
            if one.confidence > interval.confidence:
                interval.confidence, interval.best_us, interval.box = (
                    one.confidence,
                    time_us,
                    one.box,
                )
        over = []
        for name in [name for name in self.open if name not in here]:
            interval = self.open[name]
            interval.misses += 1
            interval.end_us = interval.end_us or changed_us
            if interval.misses >= _MISSES:
                over.append(self.open.pop(name))
        return over

    def finish(self, time_us: int) -> list[Interval]:
        """All that are left: they end where they were first missed, or now."""
        left, self.open, self.looked_us = list(self.open.values()), {}, None
        for interval in left:
            interval.end_us = interval.end_us or time_us
        return left
