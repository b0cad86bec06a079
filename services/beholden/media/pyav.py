"""Video files through PyAV (FFmpeg), whole and with every frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import IO, Any

import av
from av.error import FFmpegError

from beholden.core.errors import FailedPrecondition, InvalidArgument
from beholden.core.video import SECOND, VideoInfo, VideoLimits
from beholden.media.containers import HEAD, container
from beholden.media.formats import bound, check, described, refused
from beholden.media.frames import AvFrame, microseconds, turned_by

# A file may not name another: no protocol is allowed to whatever a demuxer would open beside it.
_OPTIONS = {"protocol_whitelist": "none", "enable_drefs": "0"}


class AvClip:
    """See `core.video.Clip`."""

    def __init__(
        self, file: Any, stream: Any, info: VideoInfo, limits: VideoLimits, field: str
    ) -> None:
        self.info = info
        self._file = file
        self._stream = stream
        self._limits = limits
        self._field = field
        self._origin = microseconds(stream.start_time or 0, stream.time_base)
        # FFmpeg crashes the process where a file is closed while another thread reads it.
        self._using = Lock()
        self._closed = False

    def close(self) -> None:
        """Waits for who reads; whoever reads afterwards is refused."""
        self._closed = True  # first, so that who reads lets go at the next frame
        with self._using:
            self._file.close()

    def frames(self, start_us: int = 0, index: int = 0) -> Iterator[AvFrame]:
        """See `core.video.Clip.frames`."""
        longest = int(self._limits.max_hours * 3600 * SECOND)
        last = -1
        try:
            for frame in self._decoded(start_us):
                time_us = microseconds(frame.pts or 0, self._stream.time_base) - self._origin
                if time_us < start_us or time_us <= last:
                    continue
                if time_us > longest:
                    raise InvalidArgument(
                        self._field,
                        f"runs longer than the {self._limits.max_hours:g} hours that are read",
                        reason="INVALID_VIDEO",
                    )
                last = time_us
                yield AvFrame(index, time_us, frame, turned_by(frame))
                index += 1
        except FFmpegError:
            raise self._damaged(max(last, start_us)) from None
        self._check_end(last)

    def _decoded(self, start_us: int) -> Iterator[av.VideoFrame]:
        """From the key frame before `start_us`, or from the beginning where seeking misses it."""
        for place in (start_us, 0):
            with self._open():
                if place:
                    target = int((place + self._origin) / (self._stream.time_base * SECOND))
                    self._file.seek(target, stream=self._stream, backward=True)
                else:
                    self._file.seek(0)
            frames = self._file.decode(self._stream)
            first = self._next(frames)
            if first is None:
                continue
            begins = microseconds(first.pts or 0, self._stream.time_base) - self._origin
            if place == 0 or begins <= start_us:
                yield first
                while frame := self._next(frames):
                    yield frame
                return

    def _next(self, frames: Iterator[av.VideoFrame]) -> av.VideoFrame | None:
        """The next one with a time."""
        with self._open():
            return next((one for one in frames if one.pts is not None), None)

    @contextmanager
    def _open(self) -> Iterator[None]:
        with self._using:
            if self._closed:
                raise FailedPrecondition("the video was closed", remedy="open it again")
            yield

    def _check_end(self, last: int) -> None:
        """A file that was cut short ends without an error of its own."""
        told = self.info.duration_us
        if told - last > max(SECOND, told // 20):
            raise self._damaged(max(0, last))

    def _damaged(self, at_us: int) -> InvalidArgument:
        return InvalidArgument(
            self._field,
            f"is damaged or cut short at {at_us / SECOND:.1f} s",
            reason="INVALID_VIDEO",
        )


class AvReader:
    """See `core.video.VideoReader`."""

    def __init__(self, limits: VideoLimits) -> None:
        self._limits = limits

    @contextmanager
    def open(self, path: Path, *, field: str) -> Iterator[AvClip]:
        """See `core.video.VideoReader.open`."""
        with _file(path, field) as content:
            form = self._format(content, field)
            try:
                file = av.open(content, "r", format=form, options=_OPTIONS)
            except (FFmpegError, ValueError):
                raise refused(
                    field, f"is no {form} that can be read; it may be cut short"
                ) from None
            with file:
                if not file.streams.video:
                    raise refused(field, "has no video, only sound or nothing at all")
                stream = file.streams.video[0]
                info = described(file, stream, form)
                check(info, self._limits, field)
                bound(stream, self._limits)
                clip = AvClip(file, stream, _upright(file, stream, info), self._limits, field)
                try:
                    yield clip
                finally:
                    clip.close()

    def _format(self, content: IO[bytes], field: str) -> str:
        head = content.read(HEAD)
        size = content.seek(0, 2)
        content.seek(0)
        if not head:
            raise refused(field, "is empty; it must be a video file")
        if size > self._limits.max_bytes:
            raise refused(
                field, f"is {size:,} bytes; at most {self._limits.max_bytes:,} are accepted"
            )
        if not (form := container(head)):
            raise refused(field, "must be an MP4, MOV, Matroska, WebM, AVI or MPEG-TS file")
        return form


def _file(path: Path, field: str) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError:
        raise refused(field, "cannot be opened") from None


def _upright(file: Any, stream: Any, info: VideoInfo) -> VideoInfo:
    """The info with the turn that only a decoded frame tells; the file is at its beginning after."""
    try:
        frame = next(iter(file.decode(stream)), None)
        rotation = 0 if frame is None else turned_by(frame)
        file.seek(0)
    except FFmpegError:
        return info  # what is wrong with it is told when frames are asked for
    if rotation % 180:
        return replace(info, width=info.height, height=info.width, rotation=rotation)
    return replace(info, rotation=rotation)
