"""Decoded frames as pixels: upright, whole or in small."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation

from beholden.core.faces import Pixels
from beholden.core.video import SECOND, Glance

_GLANCE = 96
_QUARTERS = (0, 90, 180, 270)
_PLANAR = frozenset(("yuv420p", "yuvj420p"))
_FULL = 2  # AVCOL_RANGE_JPEG


def _stretch() -> Glance:
    """From the samples of broadcast range to all of 0 to 255 (ITU-R BT.601): luma, then both chromas."""
    ramp = np.arange(256.0)
    luma, chroma = (ramp - 16) * 255 / 219, (ramp - 128) * 255 / 224 + 128
    return np.clip(np.dstack((luma, chroma, chroma)).round(), 0, 255).astype(np.uint8)


_STRETCHED = _stretch()


@dataclass(frozen=True, slots=True)
class AvFrame:
    """See `core.video.Frame`."""

    index: int
    time_us: int
    _frame: av.VideoFrame
    _rotation: int

    @property
    def size(self) -> tuple[int, int]:
        """See `core.video.Frame.size`."""
        width, height = self._frame.width, self._frame.height
        return (height, width) if self._rotation % 180 else (width, height)

    def glance(self) -> Glance:
        """The frame in small, from every so-manieth row and column: exact enough to compare frames."""
        frame = self._frame
        width, height = _within(frame.width, frame.height, _GLANCE)
        if frame.format.name not in _PLANAR:
            return _turned(_rgb(frame, width, height), self._rotation)
        small = np.dstack([_plane(plane, width, height) for plane in frame.planes])
        if frame.format.name != "yuvj420p" and frame.color_range != _FULL:
            small = cast("Glance", cv2.LUT(small, _STRETCHED))
        return _turned(cast("Glance", cv2.cvtColor(small, cv2.COLOR_YUV2RGB)), self._rotation)

    def pixels(self, max_side: int) -> Pixels:
        """Upright RGB, reduced so that the longer side has at most `max_side` pixels."""
        width, height = _within(self._frame.width, self._frame.height, max_side)
        return _turned(_rgb(self._frame, width, height), self._rotation)


def turned_by(frame: av.VideoFrame) -> int:
    """Degrees clockwise to the upright frame, a multiple of 90."""
    return min(_QUARTERS, key=lambda one: abs((-frame.rotation - one + 180) % 360 - 180))


def _turned(pixels: Pixels, rotation: int) -> Pixels:
    return np.ascontiguousarray(np.rot90(pixels, -rotation // 90)) if rotation else pixels


def _within(width: int, height: int, most: int) -> tuple[int, int]:
    scale = min(1.0, most / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _rgb(frame: av.VideoFrame, width: int, height: int) -> Pixels:
    if (width, height) == (frame.width, frame.height):
        return cast("Pixels", frame.to_ndarray(format="rgb24"))
    small = frame.reformat(width, height, "rgb24", interpolation=Interpolation.AREA)
    return cast("Pixels", small.to_ndarray())


def _plane(plane: Any, width: int, height: int) -> Glance:
    samples = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    step = max(1, plane.width // (2 * width))
    seen = samples[::step, : plane.width : step]
    return cast("Glance", cv2.resize(seen, (width, height), interpolation=cv2.INTER_AREA))


def microseconds(ticks: int, base: Fraction) -> int:
    """Ticks of a stream's clock as a time here."""
    return round(ticks * base * SECOND)
