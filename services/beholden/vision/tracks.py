"""Follows boxes from one analysed frame to the next, so that one thing keeps one number.

The association is ByteTrack's (Zhang et al., 2022): what was found for sure is matched first, then
what is doubtful, which may keep a track alive but begins none. Frames may lie apart by a second and
more, so that boxes need not overlap: how far a box may have gone grows with the time between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from beholden.core.bodies import Body
from beholden.core.geometry import Box, iou, shared
from beholden.core.video import SECOND

_SURE = 0.5
_PATIENCE_US = 2_500_000
# How far from where it is expected a thing may be, in sizes of itself, once 0.5 s went by; how much of
# that at once, for what a box is wrong by, and how much more each second.
_REACH = 1.2
_AT_ONCE = 0.2
_SPREAD = 1.5
# Times that reach, within `_LATELY` seconds, for what nobody else is: where it was seen once, and else.
_ASTRAY_AT_FIRST = 2.5
_ASTRAY = 1.5
_LATELY = 0.5
_OVERLAPS = 0.3  # intersection over union
_MEMORY = 0.3  # seconds in which a velocity is two thirds forgotten
_SIZE_RATIO = 2.2
_INSIDE = 0.8
_PART_US = 500_000  # how long what may be a part has to last, to be a thing of its own
_MOST_TRACKS = 200


@dataclass(frozen=True, slots=True)
class Sighting:
    """One box of a kind in one frame; `confidence` in [0, 1]; the `body` in it where it was looked for."""

    kind: str
    box: Box
    confidence: float
    body: Body | None = field(default=None, compare=False)


@dataclass(slots=True)
class Track:
    """One thing, followed. `velocity` is what its centre moves by in a second, in shares of the picture.

    It is `confirmed` once it was seen twice; until then it may be a mistake of the detector. What may be
    a `part` of another, which the detector now sees in two, has to be seen at each look for half a
    second. `gone_us` is when it went, 0 while it is there.
    """

    id: int
    kind: str
    box: Box
    confidence: float
    first_us: int
    last_us: int
    velocity: tuple[float, float] = (0.0, 0.0)
    seen: int = 1
    gone_us: int = 0
    part: bool = False

    @property
    def confirmed(self) -> bool:
        """Whether it was seen often enough to be told."""
        return self.seen > 1 and (not self.part or self.last_us - self.first_us >= _PART_US)

    def over(self, time_us: int) -> bool:
        """Whether it was not seen for too long."""
        missed_us = time_us - self.last_us
        return missed_us > (0 if self.part and not self.confirmed else _PATIENCE_US)

    def expected(self, time_us: int) -> Box:
        """Where it should be, had it gone on as it did, for a second at most."""
        ahead = min(1.0, (time_us - self.last_us) / SECOND)
        x, y = self.velocity[0] * ahead, self.velocity[1] * ahead
        box = self.box
        return Box(box.x_min + x, box.y_min + y, box.x_max + x, box.y_max + y)


@dataclass(slots=True)
class Tracker:
    """Tracks of all kinds; a sighting continues only a track of its kind. Numbers begin at 1."""

    live: list[Track] = field(default_factory=list)
    made: int = 0

    def update(
        self, time_us: int, sightings: Sequence[Sighting], *, changed_us: int | None = None
    ) -> tuple[list[tuple[Track, Sighting]], list[Track]]:
        """Each track that is seen now with its sighting, and the tracks that are over.

        What came or went since the last time did so at `changed_us`; now, where None.
        """
        changed_us = time_us if changed_us is None else changed_us
        sightings = distinct(sightings)
        sure = [one for one in sightings if one.confidence >= _SURE]
        doubtful = [one for one in sightings if one.confidence < _SURE]
        free = list(self.live)
        matched = _matched(free, sure, time_us)
        free = [one for one in free if all(one is not track for track, _ in matched)]
        taken = {id(sighting) for _, sighting in matched}
        matched += _matched(free, doubtful, time_us)
        born = list[tuple[Track, Sighting]]()
        for one in sure:
            if id(one) not in taken and len(self.live) + len(born) < _MOST_TRACKS:
                self.made += 1
                track = Track(self.made, one.kind, one.box, one.confidence, changed_us, time_us)
                track.part = any(_halved(old, half, one, time_us) for old, half in matched)
                born.append((track, one))
        for track, sighting in matched:
            _move(track, sighting, time_us)
        matched += born
        self.live += [track for track, _ in born]
        for track in self.live:
            track.gone_us = 0 if track.last_us == time_us else track.gone_us or changed_us
        over = [one for one in self.live if one.over(time_us)]
        self.live = [one for one in self.live if not one.over(time_us)]
        return matched, over

    def finish(self) -> list[Track]:
        """All that are left, when the shot or the video ends."""
        left, self.live = self.live, []
        return left


def distinct(sightings: Sequence[Sighting]) -> list[Sighting]:
    """The surest first, less those that lie almost wholly in, or around, a surer one of their kind."""
    kept: list[Sighting] = []
    for one in sorted(sightings, key=lambda one: -one.confidence):
        if not any(one.kind == other.kind and _nested(one.box, other.box) for other in kept):
            kept.append(one)
    return kept


def _matched(
    tracks: Sequence[Track], sightings: Sequence[Sighting], time_us: int
) -> list[tuple[Track, Sighting]]:
    pairs = [
        (likeness, place, number)
        for place, track in enumerate(tracks)
        for number, sighting in enumerate(sightings)
        if (likeness := _likeness(track, sighting, time_us)) > 0
    ]
    taken_tracks, taken_sightings, found = set[int](), set[int](), []
    for _, place, number in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if place not in taken_tracks and number not in taken_sightings:
            taken_tracks.add(place)
            taken_sightings.add(number)
            found.append((tracks[place], sightings[number]))
    return found


def _likeness(track: Track, sighting: Sighting, time_us: int) -> float:
    """How well the two go together, 0 where they cannot be the same."""
    if track.kind != sighting.kind:
        return 0.0
    expected, box = track.expected(time_us), sighting.box
    ratio = math.sqrt(max(1e-9, expected.area) / max(1e-9, box.area))
    if not 1 / _SIZE_RATIO <= ratio <= _SIZE_RATIO:
        return 0.0
    overlap = max(iou(expected, box), iou(track.box, box))
    elapsed = (time_us - track.last_us) / SECOND
    size = math.sqrt(max(1e-9, expected.width * expected.height))
    x = (expected.x_min + expected.x_max - box.x_min - box.x_max) / 2
    y = (expected.y_min + expected.y_max - box.y_min - box.y_max) / 2
    reach = size * _REACH * min(1.0, _AT_ONCE + _SPREAD * elapsed)
    away = math.hypot(x, y)
    if away >= reach and overlap <= _OVERLAPS:
        # It may be anything nearby that nobody else is, the more so while its way is not known yet.
        astray = reach * (_ASTRAY if track.confirmed else _ASTRAY_AT_FIRST)
        return max(0.0, 0.05 * (1 - away / astray)) if elapsed < _LATELY else 0.0
    # Who has been followed for longer has the better claim: a new track may be a second box of the same.
    age = (track.last_us - track.first_us) / SECOND
    return (overlap + 0.5 * max(0.0, 1 - away / reach)) * min(1.0, 0.7 + 0.5 * age)


def _move(track: Track, sighting: Sighting, time_us: int) -> None:
    elapsed = (time_us - track.last_us) / SECOND
    old, new = track.box, sighting.box
    if elapsed > 0:
        x = (new.x_min + new.x_max - old.x_min - old.x_max) / 2 / elapsed
        y = (new.y_min + new.y_max - old.y_min - old.y_max) / 2 / elapsed
        # By time, not by looks: between two frames that follow each other boxes tremble.
        share = max(1 / track.seen, 1 - math.exp(-elapsed / _MEMORY))
        track.velocity = (
            (1 - share) * track.velocity[0] + share * x,
            (1 - share) * track.velocity[1] + share * y,
        )
    track.box, track.last_us = new, time_us
    track.confidence = max(track.confidence, sighting.confidence)
    track.seen += 1


def _halved(track: Track, half: Sighting, other: Sighting, time_us: int) -> bool:
    """Whether the track's box held both of what is now its sighting and another."""
    return track.kind == other.kind and any(
        _within(half.box, whole) and _within(other.box, whole)
        for whole in (track.box, track.expected(time_us))
    )


def _within(one: Box, other: Box) -> bool:
    return shared(one, other) > _INSIDE * max(1e-12, one.area)


def _nested(one: Box, other: Box) -> bool:
    return _within(one, other) or _within(other, one)
