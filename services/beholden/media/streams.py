"""Video as it comes, through PyAV (FFmpeg): frames as soon as they are there, past what is damaged."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
from av.error import FFmpegError, HTTPForbiddenError, HTTPUnauthorizedError

from beholden.core.errors import InvalidArgument, Unavailable
from beholden.core.video import SECOND, ByteSource, VideoLimits
from beholden.media.containers import HEAD, stream_format
from beholden.media.formats import bound, check, described, refused
from beholden.media.frames import AvFrame, microseconds, turned_by

_DAMAGED = 250
_STEP_US = SECOND // 25
_LEAP_US = 10 * SECOND
# A file may not name another, and its beginning is not waited for longer than it takes to know it.
_OPTIONS = {
    "protocol_whitelist": "none",
    "probesize": "1000000",
    "analyzeduration": "1000000",
}

# Descriptions of a stream may name anything: nothing but this camera's own protocols is spoken.
_RTSP = {"rtsp_transport": "tcp", "protocol_whitelist": "rtsp,rtsps,tcp,tls"}
_CONNECTING = 5.0
_SILENT = 10.0


class AvStreams:
    """See `core.video.StreamReader`."""

    def __init__(self, limits: VideoLimits) -> None:
        self._limits = limits

    def frames(self, source: ByteSource, *, field: str) -> Iterator[AvFrame]:
        """See `core.video.StreamReader.frames`."""
        head = _head(source)
        if not head:
            raise refused(field, "is empty; it must be an encoded stream")
        if not (form := stream_format(head)):
            raise refused(field, "must be MPEG-TS, Matroska, WebM or H.264 (Annex B)")
        try:
            file = av.open(_Whole(head, source), "r", format=form, options=_OPTIONS)
        except (FFmpegError, ValueError):
            raise refused(field, f"is no {form} that can be read") from None
        with file:
            yield from self._decoded(file, form, field)

    def camera(self, address: str) -> Iterator[AvFrame]:
        """The frames of an RTSP camera, over TCP: what is lost on the way over UDP would be seen.

        Raises Unavailable where it is not there or no longer, InvalidArgument for what is not read.
        """
        try:
            file = av.open(
                address, "r", format="rtsp", options=_RTSP, timeout=(_CONNECTING, _SILENT)
            )
        except (HTTPUnauthorizedError, HTTPForbiddenError):
            raise InvalidArgument("camera", "does not take this user and password") from None
        except (FFmpegError, OSError, ValueError) as error:
            raise Unavailable("camera", _why(error)) from None
        with file:
            yield from self._decoded(file, "rtsp", "camera")

    def _decoded(self, file: Any, form: str, field: str) -> Iterator[AvFrame]:
        if not file.streams.video:
            raise refused(field, "has no video, only sound or nothing at all")
        stream = file.streams.video[0]
        info = described(file, stream, form)
        if not info.width:
            raise refused(field, f"is no {form} that can be read")
        check(info, self._limits, field)
        bound(stream, self._limits)
        clock = _Clock()
        for index, frame in enumerate(_each(file, stream, field)):
            ticks = frame.pts
            told = None if ticks is None else microseconds(ticks, stream.time_base)
            yield AvFrame(index, clock.time(told), frame, turned_by(frame))


def _each(file: Any, stream: Any, field: str) -> Iterator[av.VideoFrame]:
    """Every frame that can be decoded. Raises InvalidArgument where for long none can."""
    packets, damaged = file.demux(stream), 0
    while True:
        try:
            packet = next(packets, None)
            frames = [] if packet is None else packet.decode()
        except FFmpegError:
            damaged += 1
            if damaged > _DAMAGED:
                raise refused(field, "is damaged: nothing in it can be decoded any more") from None
            continue
        if packet is None:
            return
        if frames:
            damaged = 0
        yield from frames


@dataclass(slots=True)
class _Clock:
    """Times that rise from 0, whatever the stream's own clock does: it may be unset, or leap."""

    began: float = 0.0
    last_us: int = -1
    shift_us: int = 0

    def time(self, told_us: int | None) -> int:
        """The time of the next frame; without one of its own that since the first came."""
        if self.last_us < 0:
            self.began, self.last_us = time.monotonic(), 0
            self.shift_us = -(told_us or 0)
            return 0
        if told_us is None:
            told_us = int((time.monotonic() - self.began) * SECOND) - self.shift_us
        ahead_us = told_us + self.shift_us - self.last_us
        if not 0 < ahead_us <= _LEAP_US:
            self.shift_us += _STEP_US - ahead_us
            ahead_us = _STEP_US
        self.last_us += ahead_us
        return self.last_us


@dataclass(slots=True)
class _Whole:
    """A source with its head, that was looked at, before it: all that FFmpeg may ask of it is to read."""

    head: bytes
    source: ByteSource

    def read(self, size: int = -1) -> bytes:
        if self.head:
            part = self.head if size < 0 else self.head[:size]
            self.head = self.head[len(part) :]
            return part
        return self.source.read(size)


def _why(error: Exception) -> str:
    """What FFmpeg says, without the address, which may have a password in it."""
    return str(getattr(error, "strerror", "") or "cannot be read").lower()


def _head(source: ByteSource) -> bytes:
    head = b""
    while len(head) < HEAD and (part := source.read(HEAD - len(head))):
        head += part
    return head
