"""Shots, cues, segments, sampling and timecodes, over frames at a glance."""

import itertools
from fractions import Fraction

import cv2
import numpy as np
import pytest

from beholden.core.video import SECOND, Glance
from beholden.vision.cues import Cue, cue
from beholden.vision.sampling import EVERY_FRAME, Pace, Sampler
from beholden.vision.segments import Segment, Segmenter, SegmentKind
from beholden.vision.timecodes import timecode
from tests import clips

SIZE = (96, 54)
BLACK = np.zeros((54, 96, 3), np.uint8)
BARS = clips.bars(SIZE)


def credits_card(offset: int) -> Glance:
    """White lines on black, moved up by `offset` pixels of a frame ten times as large."""
    card = np.zeros((540, 960, 3), np.uint8)
    for line in range(8):
        place = (300, 120 + line * 90 - offset)
        cv2.putText(card, "A PERSON", place, cv2.FONT_HERSHEY_SIMPLEX, 1.6, (255, 255, 255), 3)
    return np.asarray(cv2.resize(card, SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def segmented(frames: list[Glance], rate: int = 10) -> list[Segment]:
    segmenter, found = Segmenter(), []
    for index, frame in enumerate(frames):
        found += segmenter.add(frame, index * SECOND // rate, index)[1]
    return found + segmenter.finish(len(frames) * SECOND // rate, len(frames))


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (BLACK, Cue.BLACK_FRAMES),
        (np.full_like(BLACK, 40), Cue.BLACK_FRAMES),
        (np.full_like(BLACK, 90), None),
        (BARS, Cue.COLOR_BARS),
        (BARS[:, ::-1], None),  # bars in another order are a flag, not bars
        (credits_card(0), Cue.END_CREDITS),
        (clips.noise(1, SIZE), None),
        (clips.noise(2, SIZE, 0, 60), None),
    ],
)
def test_cues(frame: Glance, told: Cue | None) -> None:
    assert cue(np.ascontiguousarray(frame)) is told


def test_a_film_from_bars_to_credits() -> None:
    film = [BARS] * 10 + [BLACK] * 5
    film += [clips.noise(1, SIZE)] * 20 + [clips.noise(2, SIZE)] * 20
    film += [credits_card(step * 6) for step in range(50)] + [BLACK] * 5
    found = segmented(film)
    spans = {(one.kind, one.start_frame, one.end_frame) for one in found}
    assert {
        (SegmentKind.COLOR_BARS, 0, 10),
        (SegmentKind.BLACK_FRAMES, 10, 15),
        (SegmentKind.SHOT, 15, 35),
        (SegmentKind.SHOT, 35, 55),
        (SegmentKind.END_CREDITS, 55, 105),
        (SegmentKind.BLACK_FRAMES, 105, 110),
    } <= spans
    shots = sorted((o.start_frame, o.end_frame) for o in found if o.kind is SegmentKind.SHOT)
    assert shots[0][0] == 0
    assert shots[-1][1] == 110
    assert all(one[1] == other[0] for one, other in itertools.pairwise(shots))


def test_a_title_card_in_the_middle_is_no_end() -> None:
    film = [credits_card(0)] * 60 + [clips.noise(1, SIZE)] * 150
    assert SegmentKind.END_CREDITS not in {one.kind for one in segmented(film)}


def test_motion_is_no_cut() -> None:
    wide = np.hstack([clips.noise(seed, SIZE) for seed in range(4)])
    pan = [np.ascontiguousarray(wide[:, x : x + 96]) for x in range(0, 280, 3)]
    assert len(segmented(pan)) == 1


def test_what_moves_is_looked_at_more_often() -> None:
    def chosen(frames: list[Glance], pace: Pace) -> list[int]:
        sampler = Sampler(pace)
        return [
            index
            for index, frame in enumerate(frames)
            if sampler.chooses(frame, index * SECOND // 10, shot=index == 55)
        ]

    still = [clips.noise(1, SIZE)] * 100
    assert chosen(still, Pace()) == [0, 20, 40, 55, 75, 95]
    assert chosen(still, EVERY_FRAME) == list(range(100))
    moving = [frame.copy() for frame in still]
    for index, frame in enumerate(moving):
        frame[10:40, index % 80 : index % 80 + 16] = 255
    assert chosen(moving, Pace())[:4] == [0, 3, 6, 9]


@pytest.mark.parametrize(
    ("frame", "rate", "told"),
    [
        (0, Fraction(25), "00:00:00:00"),
        (3661 * 25 + 7, Fraction(25), "01:01:01:07"),
        (1799, Fraction(30000, 1001), "00:00:59;29"),
        (1800, Fraction(30000, 1001), "00:01:00;02"),
        (17982, Fraction(30000, 1001), "00:10:00;00"),
        (107892, Fraction(30000, 1001), "01:00:00;00"),
        (3600, Fraction(60000, 1001), "00:01:00;04"),
        (1440, Fraction(24000, 1001), "00:01:00:00"),
    ],
)
def test_timecodes(frame: int, rate: Fraction, told: str) -> None:
    assert timecode(frame, rate) == told
