"""What a video says of itself, and whether it is one that is read."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from beholden.core.errors import InvalidArgument
from beholden.core.video import SECOND, VideoInfo, VideoLimits
from beholden.media.frames import microseconds

CODECS = frozenset(("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "mjpeg", "prores"))
"""The codecs that are read; the many others that FFmpeg knows are rarely met and rarely tested."""

_MIN_SIDE = 16
_FORMATS = {"libdav1d": "av1"}


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
