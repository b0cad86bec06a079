"""Video files through PyAV (FFmpeg), whole and with every frame."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import IO, Any, cast

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.video.reformatter import Interpolation

from beholden.core.errors import FailedPrecondition, InvalidArgument
from beholden.core.faces import Pixels
from beholden.core.video import SECOND, Glance, VideoInfo, VideoLimits
from beholden.media.containers import HEAD, container

CODECS = frozenset(("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "mjpeg", "prores"))
"""The codecs that are read; the many others that FFmpeg knows are rarely met and rarely tested."""

_GLANCE = 96
_MIN_SIDE = 16
_QUARTERS = (0, 90, 180, 270)
_PLANAR = frozenset(("yuv420p", "yuvj420p"))
_FULL = 2  # AVCOL_RANGE_JPEG
_FORMATS = {"libdav1d": "av1"}
# A file may not name another: no protocol is allowed to whatever a demuxer would open beside it.
_OPTIONS = {"protocol_whitelist": "none", "enable_drefs": "0"}


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


class Writer:
    """Writes an H.264 MP4. `size` is width and height in pixels; odd ones are cut by one."""

    def __init__(self, path: Path, size: tuple[int, int], rate: Fraction) -> None:
        self._file = av.open(str(path), "w", format="mp4")
        stream = self._file.add_stream(
            "libx264", rate=rate, options={"crf": "21", "preset": "veryfast"}
        )
        self._stream = stream
        self._stream.width, self._stream.height = size[0] // 2 * 2, size[1] // 2 * 2
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, SECOND)

    def add(self, pixels: Pixels, time_us: int) -> None:
        """One frame, shown from `time_us` on; times must rise."""
        cut = np.ascontiguousarray(pixels[: self._stream.height, : self._stream.width])
        frame = av.VideoFrame.from_ndarray(cut, format="rgb24")
        frame.pts, frame.time_base = time_us, Fraction(1, SECOND)
        self._file.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Finishes the file."""
        self._file.mux(self._stream.encode())
        self._file.close()


def _file(path: Path, field: str) -> IO[bytes]:
    try:
        return path.open("rb")
    except OSError:
        raise refused(field, "cannot be opened") from None


def refused(field: str, problem: str) -> InvalidArgument:
    """A video that is not read."""
    return InvalidArgument(field, problem, reason="INVALID_VIDEO")


def check(info: VideoInfo, limits: VideoLimits, field: str) -> None:
    """Raises InvalidArgument for what is not read, or is too much."""
    if info.codec not in CODECS:
        raise refused(field, f"is coded as {info.codec or 'nothing known'}, which is not read")
    size = f"is {info.width} x {info.height} pixels"
    if info.width * info.height > limits.max_pixels:
        raise refused(field, f"{size}; at most {limits.max_pixels:,} are accepted")
    if min(info.width, info.height) < _MIN_SIDE:
        raise refused(field, f"{size}; at least {_MIN_SIDE} a side are needed")
    if info.duration_us > limits.max_hours * 3600 * SECOND:
        hours = info.duration_us / SECOND / 3600
        raise refused(field, f"runs {hours:.1f} hours; at most {limits.max_hours:g} are read")
    if info.rate > limits.max_rate:
        raise refused(field, f"has {float(info.rate):.0f} frames a second, too many")


def bound(stream: Any, limits: VideoLimits) -> None:
    """Keeps the decoder's memory small, also where the frames grow later."""
    stream.codec_context.options = {"max_pixels": str(limits.max_pixels)}
    # A thread for each core holds a frame for each core; analysis has its own threads.
    stream.thread_count = 1


def described(file: Any, stream: Any, form: str) -> VideoInfo:
    """What the file says of itself."""
    duration = 0
    if stream.duration:
        duration = microseconds(stream.duration, stream.time_base)
    elif file.duration:
        duration = int(file.duration)
    codec = stream.codec_context.name
    return VideoInfo(
        container=form,
        codec=_FORMATS.get(codec, codec),
        width=stream.codec_context.width,
        height=stream.codec_context.height,
        rate=Fraction(stream.average_rate or stream.guessed_rate or 25),
        duration_us=max(0, duration),
    )


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
