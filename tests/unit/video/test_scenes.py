"""What is written, from frame to frame."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np

from beholden.core.faces import Pixels
from beholden.core.geometry import Point
from beholden.core.text import Line, Word
from beholden.video.features import Feature, Spec
from beholden.video.sample import Eyes, Sample
from beholden.video.scenes import Scenes, ScenesState

FRAME = np.zeros((9, 16, 3), np.uint8)
ABSENT: Any = None


class Reader:
    """Reads one line a frame, as it is told."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = iter(lines)
        self.models = ()

    async def read_frame(self, pixels: Pixels, *, least: float | None) -> Sequence[Line]:
        return [next(self._lines)]


def written(text: str, x: float, confidence: float) -> Line:
    corners = (Point(x, 0.4), Point(x + 0.1, 0.4), Point(x + 0.1, 0.5), Point(x, 0.5))
    return Line((Word(text, confidence, corners),), corners)


def test_a_sign_before_a_camera_that_turns_is_told_once() -> None:
    lines = [written("Welcome", 0.1, 0.99)]
    lines += [written("Weicome", 0.1 + 0.04 * step, 0.9) for step in range(1, 6)]
    eyes = Eyes(ABSENT, ABSENT, ABSENT, Reader(lines), ABSENT, ABSENT, ABSENT)
    scenes = Scenes(Spec("", False, (Feature.TEXT,)), "", eyes, ScenesState(), least=0.5)
    samples = [Sample(at * 40_000, 40_000, FRAME, 1.0, False, True) for at in range(len(lines))]
    found = asyncio.run(scenes.see(samples))
    told = [one for one in [*found, *scenes.finish(240_000)] if one.span]
    assert [(one.name, one.start_us, one.end_us) for one in told] == [("Welcome", 0, 240_000)]
