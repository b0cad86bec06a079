"""Writes H.264 MP4 files through PyAV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from beholden.core.faces import Pixels
from beholden.core.video import SECOND


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
