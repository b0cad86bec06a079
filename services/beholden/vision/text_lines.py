"""From lines of text in a picture to the recogniser's batches, and from its answers to words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import cv2
import numpy as np
from numpy.typing import NDArray

from beholden.core.faces import Pixels
from beholden.core.geometry import Point
from beholden.core.text import Line, Word
from beholden.vision.scaling import resized

Floats = NDArray[np.float32]

HEIGHT = 48
"""The recogniser's lines, in pixels."""

_GREY = 127
# A few widths, so that lines share batches and the engine meets few shapes; each a third wider.
_WIDTHS = (96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)
_BATCH_PIXELS = 4096  # the most columns in a batch: bounds the recogniser's memory
_BLANK = 0
_FEW = 2
_LARGE = 0.15  # of the picture's width and of its height
_CLEAR = 0.85  # what the detector gives to a line that is plain to see


@dataclass(frozen=True, slots=True)
class Strip:
    """A line cut out and laid level: `pixels` (48, W, 3); `index` says which line it is."""

    index: int
    pixels: Pixels

    @property
    def room(self) -> int:
        """The width in pixels that its batch has."""
        return next((one for one in _WIDTHS if one >= self.pixels.shape[1]), _WIDTHS[-1])


def cut(pixels: Pixels, index: int, line: Floats) -> Strip:
    """Cuts a line out: `line` (4, 2) in shares of the picture, from the text's upper left clockwise.

    A line that would be wider than 2048 pixels is squeezed.
    """
    corners = (line * pixels.shape[1::-1]).astype(np.float32)
    across = max(float(np.linalg.norm(corners[1] - corners[0])), 1.0)
    down = max(float(np.linalg.norm(corners[3] - corners[0])), 1.0)
    width = int(min(max(8, round(HEIGHT * across / down)), _WIDTHS[-1]))
    # Reduced by area averaging after a level cut: interpolation alone would alias small print.
    full = max(1, min(round(across), 4 * width)), max(1, min(round(down), 4 * HEIGHT))
    target = np.array(((0, 0), (full[0], 0), (0, full[1])), np.float32)
    transform = cv2.getAffineTransform(corners[[0, 1, 3]], target)
    level = cv2.warpAffine(
        pixels, transform, full, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return Strip(index, resized(np.asarray(level, np.uint8), width, HEIGHT))


def batches(strips: Sequence[Strip]) -> Iterator[tuple[tuple[Strip, ...], Pixels]]:
    """Strips of similar width together: uint8 (N, 48, W, 3), padded with grey on the right."""
    for room, group in groupby(sorted(strips, key=lambda one: one.room), lambda one: one.room):
        alike = tuple(group)
        most = max(1, _BATCH_PIXELS // room)
        for start in range(0, len(alike), most):
            part = alike[start : start + most]
            batch = np.full((len(part), HEIGHT, room, 3), _GREY, np.uint8)
            for row, strip in zip(batch, part, strict=True):
                row[:, : strip.pixels.shape[1]] = strip.pixels
            yield part, batch


def spell(
    characters: NDArray[np.int32], confidences: Floats, strip: Strip, line: Floats
) -> Line | None:
    """The words of a strip by the recogniser's answer, (T,) code points and confidences; None for none.

    Connectionist temporal classification: of equal code points next to each other one counts, and
    the code point 0 is none. A word's place is where its characters were met along the line. No
    word is surer than a third of its own characters and two thirds of the whole line's: in a script
    that the recogniser does not know, some word always looks like one that it knows.
    """
    fresh = np.r_[True, characters[1:] != characters[:-1]] & (characters != _BLANK)
    steps = np.flatnonzero(fresh)
    if not len(steps):
        return None
    # A character's place is the middle of a step, as a share of the strip; padding lies beyond 1.
    share = strip.room / len(characters) / strip.pixels.shape[1]
    places = np.minimum((steps + 0.5) * share, 1.0)
    text = [chr(point) for point in characters[steps].tolist()]
    sure = confidences[steps].astype(float)
    spaces = np.array([one.isspace() for one in text])
    whole = float(sure[~spaces].mean()) if not spaces.all() else 0.0
    # A word reaches half way to its neighbours, and no further than a character beyond its own.
    pitch = float(np.median(np.diff(places))) if len(places) > 1 else 1.0
    words = []
    for start, end in _runs(text):
        left = (places[start - 2] + places[start]) / 2 if start > 1 else 0.0
        right = (places[end - 1] + places[end + 1]) / 2 if end + 1 < len(text) else 1.0
        left, right = max(left, places[start] - pitch), min(right, places[end - 1] + pitch)
        own = min(1.0, float(sure[start:end].mean()))
        words.append(
            Word(
                "".join(text[start:end]),
                min(own, (own + 2 * whole) / 3),
                _polygon(_part(line, left, right)),
            )
        )
    return Line(tuple(words), _polygon(line)) if words else None


def doubted(line: Line, score: float) -> Line:
    """A sign or two that take much of the picture are no surer than the detector, `score`, is of them.

    The recogniser is sure of a letter in a person's outline, or a cup's.
    """
    few = sum(len(word.text) for word in line.words) <= _FEW
    if not few or min(line.box.width, line.box.height) < _LARGE:
        return line
    words = (replace(word, confidence=min(word.confidence, score / _CLEAR)) for word in line.words)
    return replace(line, words=tuple(words))


def _runs(text: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Starts and ends of what lies between spaces."""
    start = 0
    for end in range(len(text) + 1):
        if end == len(text) or text[end].isspace():
            if end > start:
                yield start, end
            start = end + 1


def _part(line: Floats, left: float, right: float) -> Floats:
    """The part of a line (4, 2) from the share `left` to the share `right` of its length."""
    upper, lower = line[1] - line[0], line[2] - line[3]
    return np.stack(
        (
            line[0] + upper * left,
            line[0] + upper * right,
            line[3] + lower * right,
            line[3] + lower * left,
        )
    )


def _polygon(corners: Floats) -> tuple[Point, Point, Point, Point]:
    a, b, c, d = (Point(x, y) for x, y in corners.tolist())
    return a, b, c, d
