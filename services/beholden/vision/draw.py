"""Pictures with what was found in them: boxes, captions and landmarks, legible at any size."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from beholden.core.faces import Pixels
from beholden.core.geometry import Box, Point
from beholden.vision.scaling import resized

FOUND = "#38bdf8"
MATCHED = "#4ade80"
DOUBTFUL = "#fbbf24"
REFUSED = "#fb7185"

_INK = "#0b1220"
_PAPER = "#f8fafc"
_MIN_LONGER_SIDE = 960
_SMOOTHNESS = 8

Floats = NDArray[np.float64]
_Place = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing in the picture: its `box`, what is said of it, and `points` such as landmarks.

    Where there is an `outline`, such as that of slanted text, it is drawn in place of the box.
    """

    box: Box
    caption: str = ""
    points: tuple[Point, ...] = ()
    colour: str = FOUND
    outline: tuple[Point, ...] = ()


def annotate(pixels: Pixels, marks: Sequence[Mark], *, title: str = "") -> bytes:
    """PNG bytes of the picture with `marks`, and `title` in its upper left corner.

    Lines and letters grow with the picture; one with both sides under 960 pixels is enlarged first.
    Captions cover neither each other nor another mark's box, unless it holds theirs; in a crowd,
    one that finds no place is left out, and the first marks choose first.
    """
    pixels = _large_enough(pixels)
    canvas = Image.fromarray(pixels)
    draw = ImageDraw.Draw(canvas)
    size = np.array(canvas.size)
    line = max(2, round(max(canvas.size) / 400))
    corners = [(m.box.x_min, m.box.y_min, m.box.x_max, m.box.y_max) for m in marks]
    boxes = np.array(corners, np.float64).reshape(-1, 4) * np.tile(size, 2)

    for mark, box in zip(marks, boxes, strict=True):
        if mark.outline:
            _trace(
                draw,
                [(point.x * size[0], point.y * size[1]) for point in mark.outline],
                line,
                mark.colour,
            )
        else:
            _frame(draw, box, line, mark.colour)
        # A small face gets small dots, or they would hide it.
        dot = _dot(min(2 * line, max(2, round(min(box[2:] - box[:2]) / 12))))
        for point in mark.points:
            corner = np.round(np.array((point.x, point.y)) * size - dot.width / 2)
            draw.bitmap(corner.astype(int).tolist(), dot, fill=mark.colour)

    captions = _Captions(canvas, boxes)
    if title:
        captions.entitle(title)
    for number, mark in enumerate(marks):
        if mark.caption:
            captions.write(mark.caption, mark.colour, number, line)
    out = io.BytesIO()
    canvas.save(out, "PNG", compress_level=3)
    return out.getvalue()


class _Captions:
    """Writes captions where they cover neither each other nor what is marked."""

    def __init__(self, canvas: Image.Image, boxes: Floats) -> None:
        self._canvas = canvas
        self._boxes = boxes
        self._written = np.empty((0, 4))
        self._letters = max(14.0, max(canvas.size) / 48)

    def entitle(self, text: str) -> None:
        """Writes in a free corner of the picture, or else in the first."""
        width, height = self._canvas.size
        label = _label(text, _PAPER, self._letters, width)
        places = ((0, 0, 0, 0), (width, 0, 1, 0), (0, height, 0, 1), (width, height, 1, 1))
        if not self._paste(label, places, self._boxes):
            self._paste(label, places[:1], self._written)

    def write(self, text: str, colour: str, number: int, line: int) -> None:
        """Writes beside box `number`, within it if it is large, or not at all."""
        box = self._boxes[number]
        width, height = (box[2:] - box[:2]).tolist()
        letters = max(0.6 * self._letters, min(self._letters, width / 4))
        label = _label(text, colour, letters, self._canvas.width)
        left, top, right, bottom = _grown(box, line)
        places = (
            (left, top, 0, 1),
            (left, bottom, 0, 0),
            (right, top, 1, 1),
            (right, bottom, 1, 0),
            (right, top, 0, 0),
            (left, top, 1, 0),
            (left, top, 0, 0),
        )
        # A box that lies within another, a cup on a table, has its caption there too.
        around = (self._boxes[:, :2] <= box[:2]) & (self._boxes[:, 2:] >= box[2:])
        clear = ~around.all(axis=1)
        others = self._boxes[clear]
        if not self._paste(label, places, np.vstack((others, box))) and label.height < height / 4:
            self._paste(label, places, others)

    def _paste(self, label: Image.Image, places: Sequence[_Place], clear: Floats) -> bool:
        """Pastes at the first of `places` that, moved into the picture, covers nothing.

        A place is a point and the share of the label that lies to its left and above it.
        """
        taken = np.vstack((self._written, clear))
        for x, y, left_share, top_share in places:
            left = min(
                max(0, round(x - left_share * label.width)), self._canvas.width - label.width
            )
            top = min(
                max(0, round(y - top_share * label.height)), self._canvas.height - label.height
            )
            area = np.array((left, top, left + label.width, top + label.height))
            covers = (area[:2] < taken[:, 2:]).all(axis=1) & (area[2:] > taken[:, :2]).all(axis=1)
            if not covers.any():
                self._canvas.paste(label, (left, top))
                self._written = np.vstack((self._written, area))
                return True
        return False


def _label(text: str, colour: str, letters: float, room: int) -> Image.Image:
    """The text on a ground of `colour`, cut so that it is at most `room` wide."""
    font = ImageFont.load_default(letters)
    pad = round(letters / 4)
    text = " ".join(text.split())[:room]
    if font.getlength(text) > room - 2 * pad:
        while text and font.getlength(f"{text}…") > room - 2 * pad:
            text = text[:-1]
        text = f"{text}…"
    size = round(font.getlength(text)) + 2 * pad, round(font.getbbox("Åg")[3]) + pad
    label = Image.new("RGB", size, colour)
    ImageDraw.Draw(label).text((pad, pad / 2), text, _INK, font)
    return label


def _frame(draw: ImageDraw.ImageDraw, box: Floats, line: int, colour: str) -> None:
    """A line around the box in `colour`, edged with ink so that it shows on any ground."""
    # Pillow draws inwards, and the right and lower edges it is given.
    box = box - np.array((0, 0, 1, 1))
    draw.rectangle(_grown(box, line + 1), outline=_INK, width=line + 2)
    draw.rectangle(_grown(box, line), outline=colour, width=line)


def _trace(
    draw: ImageDraw.ImageDraw, corners: list[tuple[float, float]], line: int, colour: str
) -> None:
    """A closed line through the corners, edged like a frame."""
    around = [*corners, *corners[:2]]
    draw.line(around, _INK, line + 2, joint="curve")
    draw.line(around, colour, line, joint="curve")


def _grown(box: Floats, by: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = box.tolist()
    return left - by, top - by, right + by, bottom + by


def _dot(width: int) -> Image.Image:
    """A smooth disc as a mask."""
    large = Image.new("L", (width * _SMOOTHNESS, width * _SMOOTHNESS))
    ImageDraw.Draw(large).ellipse((0, 0, large.width - 1, large.height - 1), fill=255)
    return large.resize((width, width), Image.Resampling.BOX)


def _large_enough(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    factor = max(1.0, _MIN_LONGER_SIDE / max(height, width))
    return resized(pixels, round(width * factor), round(height * factor))
