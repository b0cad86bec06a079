"""Postures and activities, by stick figures that move."""

import math

import numpy as np
import pytest

from beholden.core.bodies import Body, Joint
from beholden.core.geometry import Box
from beholden.core.video import SECOND
from beholden.vision import activities, bodies
from beholden.vision.activities import (
    FALLING,
    RAISING_HAND,
    RUNNING,
    WALKING,
    Doing,
    advance,
)
from beholden.vision.postures import LYING, SITTING, STANDING, posture, raises_hand

UPRIGHT = {
    "NOSE": (0, 0.1),
    "EYE": (0.02, 0.08),
    "EAR": (0.04, 0.09),
    "SHOULDER": (0.1, 0.2),
    "ELBOW": (0.13, 0.35),
    "WRIST": (0.13, 0.5),
    "HIP": (0.07, 0.5),
    "KNEE": (0.07, 0.74),
    "ANKLE": (0.07, 0.95),
}
"""Half a figure from 0 to 1: how far from its middle, and from its top."""

SEATED = UPRIGHT | {"KNEE": (0.1, 0.6), "ANKLE": (0.1, 0.85)}
ON_THE_FLOOR = UPRIGHT | {"KNEE": (0.2, 0.5), "ANKLE": (0.02, 0.55)}
FROM_ABOVE = UPRIGHT | {"KNEE": (0.07, 0.63), "ANKLE": (0.07, 0.75)}
SCALE = 0.4


def figure(parts: dict[str, tuple[float, float]], turn: float = 0, hidden: str = "") -> Body:
    """A body in a square picture, turned clockwise by degrees about its middle."""
    body = np.zeros((17, 3), np.float32)
    angle = math.radians(turn)
    for joint in Joint:
        side, _, part = joint.name.rpartition("_")
        away, down = parts[part]
        x, y = (away if side == "LEFT" else -away) * SCALE, (down - 0.5) * SCALE
        body[joint] = (
            0.5 + x * math.cos(angle) - y * math.sin(angle),
            0.5 + x * math.sin(angle) + y * math.cos(angle),
            0.1 if part == hidden else 0.9,
        )
    return body


def around(body: Body) -> Box:
    low, high = body[:, :2].min(axis=0) - 0.02, body[:, :2].max(axis=0) + 0.02
    return Box(*low.tolist(), *high.tolist())


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (figure(UPRIGHT), STANDING),
        (figure(UPRIGHT, 20), STANDING),
        (figure(SEATED), SITTING),
        (figure(ON_THE_FLOOR), SITTING),
        (figure(UPRIGHT, 90), LYING),
        (figure(UPRIGHT, -80), LYING),
        (figure(UPRIGHT, 52), ""),
        (figure(UPRIGHT, 180), ""),
        (figure(SEATED, hidden="ANKLE"), SITTING),
        (figure(SEATED, hidden="KNEE"), ""),
        (figure(FROM_ABOVE), ""),
        (figure(UPRIGHT, hidden="HIP"), ""),
    ],
)
def test_postures(body: Body, told: str) -> None:
    assert posture(body, around(body), 1.0) == told


def test_knees_at_the_edge_of_the_box_are_guessed() -> None:
    body = figure(SEATED)
    box = around(body)
    cut = Box(box.x_min, box.y_min, box.x_max, float(body[Joint.LEFT_KNEE, 1]) + 0.001)
    assert posture(body, box, 1.0) == SITTING
    assert posture(body, cut, 1.0) == ""


def test_a_wide_picture_does_not_tilt_anybody() -> None:
    body = figure(UPRIGHT, 70)
    wide = body.copy()
    wide[:, 0] /= 4
    assert posture(wide, around(wide), 4.0) == posture(body, around(body), 1.0) == LYING


def test_a_raised_hand() -> None:
    body = figure(UPRIGHT)
    assert not raises_hand(body)
    body[Joint.LEFT_ELBOW, :2] = (0.6, 0.36)
    body[Joint.LEFT_WRIST, :2] = (0.6, 0.28)
    assert raises_hand(body)
    body[Joint.LEFT_WRIST, 2] = 0.1
    assert not raises_hand(body), "a wrist that is not seen"


def told(
    steps: list[tuple[float, Body | None, float]], *, experimental: bool = True
) -> list[set[str]]:
    """What is told at each step: seconds, the body, and how far to the right it has moved."""
    doing: Doing | None = None
    seen = []
    for seconds, body, x in steps:
        box = around(figure(UPRIGHT) if body is None else body)
        box = Box(box.x_min + x, box.y_min, box.x_max + x, box.y_max)
        time_us = int(seconds * SECOND)
        doing = doing or Doing([(time_us, box)])
        doing.since = advance(doing, box, body, time_us, 1.0, experimental=experimental)
        seen.append(set(doing.since))
    return seen


def moving(speed: float) -> list[tuple[float, Body | None, float]]:
    """Upright, `speed` body heights a second."""
    return [(step / 2, figure(UPRIGHT), step / 2 * speed * SCALE) for step in range(5)]


def test_how_fast_somebody_is() -> None:
    assert told(moving(0.05))[-1] == {STANDING}
    assert told(moving(0.5))[-1] == {WALKING}
    assert told(moving(2))[-1] == {RUNNING}
    assert told(moving(2), experimental=False)[-1] == {WALKING}


def test_without_bodies_boxes_tell() -> None:
    assert told([(0, None, 0), (1, None, 0)])[-1] == {STANDING}
    assert told([(0, None, 0), (1, None, 0.3)])[-1] == {WALKING}


def test_who_sits_does_not_stand_and_who_falls_lies() -> None:
    up, down = figure(UPRIGHT), figure(UPRIGHT, 90)
    assert told([(0, figure(SEATED), 0), (1, figure(SEATED), 0)])[-1] == {SITTING}
    falls = [(0, up, 0), (1, up, 0), (1.5, down, 0), (2, down, 0)]
    assert told(falls)[-1] == {LYING, FALLING}
    assert told(falls, experimental=False)[-1] == set()
    slowly = [(0, up, 0), (1, figure(SEATED), 0), (2, figure(SEATED), 0), (3, down, 0)]
    assert told([*slowly, (4, down, 0)])[-1] == {LYING}, "who lies down does not fall"


def test_one_look_that_is_mistaken_ends_nothing() -> None:
    steps = moving(0.5)
    steps[2] = (steps[2][0], figure(SEATED), steps[2][2])
    assert told(steps)[2:] == [{WALKING}] * 3


@pytest.mark.parametrize("rate", [3, 10, 30])
def test_how_often_somebody_is_seen_does_not_change_what_they_do(rate: int) -> None:
    """A second's standing with a trembling box, and then two of walking."""
    steps: list[tuple[float, Body | None, float]] = []
    for step in range(3 * rate):
        seconds, tremble = step / rate, 0.004 * (step % 2)
        steps.append((seconds, figure(UPRIGHT), max(0.0, seconds - 1) * 0.6 * SCALE + tremble))
    seen = told(steps)
    assert seen[rate - 1] == {STANDING}
    assert all(one == {WALKING} for one in seen[rate * 3 // 2 :])


def test_what_goes_on_keeps_its_beginning() -> None:
    hand = figure(UPRIGHT | {"ELBOW": (0.15, 0.1), "WRIST": (0.15, -0.05)})
    doing = Doing([(0, around(hand))])
    for seconds in (1, 2, 3):
        doing.since = advance(doing, around(hand), hand, seconds * SECOND, 1.0, experimental=True)
    assert doing.since == {STANDING: 0, RAISING_HAND: SECOND}, "who stands did so since last seen"


def test_every_activity_has_its_rule() -> None:
    assert activities.RULES.keys() == activities.SHORTEST_US.keys() >= activities.EXPERIMENTAL


def test_what_lies_in_a_crop_comes_back_to_its_place() -> None:
    """A bright spot at a known place, in a box at the picture's edge."""
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[150:154, 20:24] = 255
    box = Box(0, 0.5, 0.2, 0.95)
    (square,) = bodies.crops(picture, [box], 96, 1.25)
    y, x = np.argwhere(square[..., 0] > 128).mean(axis=0)
    points = np.zeros((1, 17, 3), np.float32)
    points[0, :] = ((y + 0.5) / 96, (x + 0.5) / 96, 0.5)
    (body,) = bodies.read(points, [box], 300, 200, 1.25)
    assert abs(body[0, 0] * 300 - 22) < 1.5
    assert abs(body[0, 1] * 200 - 152) < 1.5
    assert not square[-5:].any(), "what lies outside is black"
    with pytest.raises(ValueError, match="points"):
        bodies.read(points[:, :5], [box], 300, 200, 1.25)
