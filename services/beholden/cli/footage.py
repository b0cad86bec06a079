"""Pictures of a camera, a file or a pipe, as often and as large as they are wanted."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from beholden.cli.failures import Failure
from beholden.core.errors import InvalidArgument, Unavailable
from beholden.core.video import SECOND, VideoLimits

if TYPE_CHECKING:
    from beholden.core.video import Frame

Shot = tuple[int, bytes]
"""When a picture was taken, in microseconds from the beginning, and its JPEG."""

STDIN = "-"
_SCHEMES = ("rtsp", "rtsps")
_LONGEST_PAUSE = 30.0
_PIECE = 64 * 1024


class Lost(Exception):
    """The camera is not there, or no longer; it may come back."""


class Footage:
    """What `source` shows: at most `rate` pictures a second, none larger than `side` pixels a side.

    A file is shown as fast as it was taken. `stop` ends it, wherever it is.
    """

    def __init__(
        self, source: str, *, rate: float, side: int, seconds: float | None, stop: Event
    ) -> None:
        scheme = urlsplit(source).scheme if "://" in source else ""
        if scheme and scheme not in _SCHEMES:
            raise Failure(
                f"{scheme}:// is not read",
                "INVALID_ARGUMENT",
                hint="name an rtsp:// or rtsps:// address, a file, or - for standard input",
            )
        self.is_camera = bool(scheme)
        self.name = _named(source) if scheme else Path(source).name
        self.sent = 0
        self.over = False
        """Nothing more will come, or is wanted."""
        self._source = source
        self._gap_us = int(SECOND / rate)
        self._side = side
        self._end_us = None if seconds is None else int(seconds * SECOND)
        self._stop = stop
        self._began = time.monotonic()

    def shots(self) -> Iterator[Shot]:
        """The pictures of one connection. Raises Lost for a camera, Failure for what is not read."""
        from beholden.vision.crops import jpeg

        began_us = self._elapsed_us() if self.is_camera else 0
        next_us = -1
        with _readable(), self._frames() as frames:
            for frame in frames:
                if self._stop.is_set():
                    break
                time_us = began_us + frame.time_us
                if self._end_us is not None and time_us >= self._end_us:
                    break
                if time_us < next_us:
                    continue
                next_us = max(time_us - self._gap_us, next_us) + self._gap_us
                if self._source != STDIN and not self.is_camera:
                    self._stop.wait(max(0.0, (time_us - self._elapsed_us()) / SECOND))
                self.sent += 1
                yield time_us, jpeg(frame.pixels(self._side))
            else:
                if self.is_camera:
                    raise Lost("it stopped")
        self.over = True

    def pause(self, attempt: int) -> float:
        """Waits before the camera is asked again, longer each time; how many seconds that were."""
        seconds = min(_LONGEST_PAUSE, 2.0**attempt)
        if self._end_us is not None:
            seconds = min(seconds, max(0.0, (self._end_us - self._elapsed_us()) / SECOND))
        self.over = self._stop.wait(seconds) or (
            self._end_us is not None and self._elapsed_us() >= self._end_us
        )
        return seconds

    @contextmanager
    def _frames(self) -> Iterator[Iterator[Frame]]:
        from beholden.media.pyav import AvReader
        from beholden.media.streams import AvStreams

        limits = VideoLimits()
        if self.is_camera:
            yield AvStreams(limits).camera(self._source)
        elif self._source == STDIN:
            yield AvStreams(limits).frames(_Stdin(), field="standard input")
        else:
            with AvReader(limits).open(Path(self._source), field=self._source) as clip:
                yield clip.frames()

    def _elapsed_us(self) -> int:
        return int((time.monotonic() - self._began) * SECOND)


class _Stdin:
    """What is there, without waiting for more."""

    def read(self, size: int = -1) -> bytes:
        return os.read(sys.stdin.fileno(), size if size > 0 else _PIECE)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except Unavailable as error:
        raise Lost(error.message) from None
    except InvalidArgument as error:
        raise Failure(error.message, "INVALID_ARGUMENT", error.reason) from None


def _named(address: str) -> str:
    """The address without a user and a password."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
