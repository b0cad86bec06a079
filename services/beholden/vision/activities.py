"""What a followed person does, as far as the movement of their box and the points of their body tell.

What each is worth is in docs/video.md; those of `EXPERIMENTAL` were measured on nobody who does them.
Speed in body heights a second does not know how far away somebody is, and needs a camera that stands
still.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from beholden.core.bodies import Body
from beholden.core.geometry import Box
from beholden.core.video import SECOND
from beholden.vision.postures import LYING, SITTING, STANDING, posture, raises_hand

WALKING = "Walking"
RUNNING = "Running"
RAISING_HAND = "Raising hand"
FALLING = "Falling"
GATHERING = "Gathering"

EXPERIMENTAL = frozenset((RUNNING, LYING, RAISING_HAND, FALLING))

RULES: Mapping[str, str] = {
    WALKING: "the middle of the body moves by 0.2 body heights a second or more, for a second at least",
    RUNNING: "the middle of the body moves by 1.2 body heights a second or more, for a second at least",
    STANDING: "an upright body moves by less than 0.1 of its height a second, for a second at least",
    SITTING: "the trunk is upright, the knees are less than 0.55 of its length below the hips, and less "
    "than half as far as the ankles are below the knees where those are seen, for a second at least",
    LYING: "the trunk is more than 60 degrees from upright and the knees are about level with the hips, "
    "for a second at least",
    RAISING_HAND: "a wrist is above the eyes and above its elbow, for 0.8 seconds at least",
    FALLING: "an upright body lies within 1.5 seconds",
    GATHERING: "three people or more, each within 1.5 body heights of another, for two seconds at least",
}
"""How each activity is told, in words."""

SHORTEST_US: Mapping[str, int] = {
    **dict.fromkeys((WALKING, RUNNING, STANDING, SITTING, LYING), SECOND),
    RAISING_HAND: SECOND * 4 // 5,
    FALLING: 0,
    GATHERING: 2 * SECOND,
}
"""Shorter stretches are not told."""

_MOVES = 0.2
_RUNS = 1.2
_STANDS = 0.1
_SPAN_US = SECOND // 2
_UPRIGHT = 1.5
_FALLS_US = 3 * SECOND // 2
_WITHIN = 1.5
_CROWD = 3


@dataclass(slots=True)
class Doing:
    """What one person does, each since when.

    `trail` is when and where they were seen in the last half second, the newest last; `held` how they hold
    themselves or move along and `poise` what their body showed last, "" where no rule tells;
    `upright_us` when they were last seen upright.
    """

    trail: list[tuple[int, Box]]
    held: str = ""
    poise: str = ""
    upright_us: int = -_FALLS_US - 1
    since: dict[str, int] = field(default_factory=dict)


def advance(
    doing: Doing, box: Box, body: Body | None, time_us: int, aspect: float, *, experimental: bool
) -> dict[str, int]:
    """What the person does at `time_us`, each with when it began; `doing` is brought up to date.

    `body` is None where no model finds bodies; `aspect` is the picture's width by its height. Those
    of EXPERIMENTAL are told where `experimental` asks for them; who runs walks otherwise.
    """
    before_us = doing.trail[-1][0]
    speed = _speed(doing.trail, box, time_us, aspect)
    poise = "" if body is None else posture(body, box, aspect)
    doing.held = _held(doing, box, poise, speed, aspect)
    if doing.held == RUNNING and not experimental:
        doing.held = WALKING
    began = {doing.held: before_us}
    began.pop("", None)
    if body is not None and raises_hand(body):
        began[RAISING_HAND] = time_us
    began = {name: doing.since.get(name, us) for name, us in began.items()}
    if poise == LYING and doing.upright_us >= time_us - _FALLS_US:
        began[FALLING] = doing.upright_us
    if poise == STANDING or doing.held in (WALKING, RUNNING):
        doing.upright_us = time_us
    doing.poise = poise
    return {name: us for name, us in began.items() if experimental or name not in EXPERIMENTAL}


def _speed(trail: list[tuple[int, Box]], box: Box, time_us: int, aspect: float) -> float:
    """Body heights a second over the last half second, or since the last look where that is longer.

    How far they came, not along which way: so that it does not depend on how often they are seen.
    """
    while len(trail) > 1 and trail[0][0] < time_us - _SPAN_US:
        trail.pop(0)
    since_us, old = trail[0]
    height = max(1e-6, (old.height + box.height) / 2)
    x = (_middle(box)[0] - _middle(old)[0]) * aspect
    y = _middle(box)[1] - _middle(old)[1]
    trail.append((time_us, box))
    return math.hypot(x, y) / height / max(1, time_us - since_us) * SECOND


def _held(doing: Doing, box: Box, poise: str, speed: float, aspect: float) -> str:
    if poise in (SITTING, LYING) and poise == doing.poise:  # one look may be mistaken
        return poise
    if speed >= _MOVES:
        return RUNNING if speed >= _RUNS else WALKING
    if speed < _STANDS:
        upright = poise == STANDING or box.height >= _UPRIGHT * box.width * aspect
        return STANDING if upright else ""
    return doing.held if doing.held in (WALKING, STANDING) else ""


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
