"""A video as it is read: what it is, its frames, and what was found at which time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from beholden.core.faces import Pixels

SECOND = 1_000_000
"""Times in a video are whole microseconds from its first frame."""

Glance = NDArray[np.uint8]
"""A whole frame at a glance: uint8 (H, W, 3) RGB, upright, the longer side 96 pixels."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a file says of itself. Width and height are upright, in pixels.

    `duration_us` is 0 where the container does not say. `rate` is the average frame rate;
    `rotation` the degrees, clockwise, by which frames are turned to be upright.
    """

    container: str
    codec: str
    width: int
    height: int
    rate: Fraction
    duration_us: int
    rotation: int = 0


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """The largest video that is read."""

    max_bytes: int = 10 * 2**30
    max_hours: float = 6.0
    max_pixels: int = 4096 * 2304
    max_rate: int = 240


class Frame(Protocol):
    """One decoded frame; its pixels are made only when they are asked for."""

    @property
    def index(self) -> int:
        """How many frames came before it."""
        ...

    @property
    def time_us(self) -> int:
        """When it is shown."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """Its width and height in pixels, upright and not reduced."""
        ...

    def glance(self) -> Glance:
        """The frame in small."""
        ...

    def pixels(self, max_side: int) -> Pixels:
        """Upright RGB, reduced so that the longer side has at most `max_side` pixels."""
        ...


class Clip(Protocol):
    """An open video."""

    info: VideoInfo

    def frames(self, start_us: int = 0, index: int = 0) -> Iterator[Frame]:
        """Every frame from `start_us` on, in the order shown; `index` is that of the first.

        Raises InvalidArgument where the file is damaged, cut short or longer than the limits.
        """
        ...


class ByteSource(Protocol):
    """Bytes as they come."""

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, waiting until there are some; none at the end."""
        ...


class StreamReader(Protocol):
    """Decodes video as it comes."""

    def frames(self, source: ByteSource, *, field: str) -> Iterator[Frame]:
        """Every frame, as soon as it is there, in order; what is damaged in between is left out.

        Raises InvalidArgument for `field`: no stream that can be read, or one beyond the limits.
        """
        ...


class VideoReader(Protocol):
    """Opens videos: the decoder."""

    def open(self, path: Path, *, field: str) -> AbstractContextManager[Clip]:
        """Raises InvalidArgument for `field`: no video, or one that is not read."""
        ...
