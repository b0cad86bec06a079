"""What a followed person does, as far as the movement of their box tells.

Only what was measured is told (docs/video.md): speed in body heights a second does not know how far
away somebody is, and needs a camera that stands still.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from beholden.core.geometry import Box
from beholden.core.video import SECOND

WALKING = "Walking"
STANDING = "Standing"
GATHERING = "Gathering"

RULES: Mapping[str, str] = {
    WALKING: "the middle of the body moves by 0.2 body heights a second or more, for a second at least",
    STANDING: "an upright body moves by less than 0.1 of its height a second, for a second at least",
    GATHERING: "three people or more, each within 1.5 body heights of another, for two seconds at least",
}
"""How each activity is told, in words."""

SHORTEST_US: Mapping[str, int] = {WALKING: SECOND, STANDING: SECOND, GATHERING: 2 * SECOND}
"""Shorter stretches are not told."""

_MOVES = 0.2
_STANDS = 0.1
_UPRIGHT = 1.5
_WITHIN = 1.5
_CROWD = 3


@dataclass(slots=True)
class Doing:
    """What one person does since `since_us`, "" where no rule tells; `speed` in heights a second."""

    box: Box
    seen_us: int
    name: str = ""
    since_us: int = 0
    speed: float = 0.0


def advance(doing: Doing, box: Box, time_us: int, aspect: float) -> str:
    """What they do now, by where they were before; `aspect` is the picture's width over its height."""
    elapsed = (time_us - doing.seen_us) / SECOND
    if elapsed > 0:
        height = max(1e-6, (doing.box.height + box.height) / 2)
        x = (_middle(box)[0] - _middle(doing.box)[0]) * aspect
        y = _middle(box)[1] - _middle(doing.box)[1]
        now = math.hypot(x, y) / height / elapsed
        # Of the last second: what happened longer ago counts for less.
        share = min(1.0, elapsed)
        doing.speed = (1 - share) * doing.speed + share * now
    doing.box, doing.seen_us = box, time_us
    if doing.speed >= _MOVES:
        return WALKING
    upright = box.height >= _UPRIGHT * box.width * aspect
    if doing.speed < _STANDS:
        return STANDING if upright else ""
    return doing.name


def gathers(boxes: Sequence[Box], aspect: float) -> bool:
    """Whether three people or more stand together."""
    reach = [_WITHIN * box.height for box in boxes]
    middles = [(_middle(box)[0] * aspect, _middle(box)[1]) for box in boxes]
    groups = list(range(len(boxes)))
    for one in range(len(boxes)):
        for other in range(one):
            if math.dist(middles[one], middles[other]) <= min(reach[one], reach[other]):
                old, new = groups[one], groups[other]
                groups = [new if group == old else group for group in groups]
    return any(groups.count(group) >= _CROWD for group in groups)


def _middle(box: Box) -> tuple[float, float]:
    return (box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2
