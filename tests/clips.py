"""Short videos for tests: made here, or from the shared folder of real ones."""

from __future__ import annotations

import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np

from beholden.core.faces import Pixels
from beholden.media.writing import Writer
from tests.pictures import ROOT, missing

_HOME = Path(os.environ.get("BEHOLDEN_TEST_DATA") or ROOT.parent / "shared" / "data") / "video"

WALKERS = "one-by-one-person-detection.mp4"
CARS = "udacity_test_video.mp4"
FACES = "facenet_pytorch_video.mp4"
DAMAGED = "corrupted.mp4"


def real(name: str) -> Path:
    """A real video; where there is none the test is skipped, or fails under CI=true."""
    path = _HOME / name
    if not path.exists():
        missing(f"no {name} in {_HOME}; set BEHOLDEN_TEST_DATA")
    return path


def written(path: Path, frames: Iterable[Pixels], rate: int = 10) -> Path:
    """An H.264 MP4 of `frames`, all of one size."""
    frames = list(frames)
    height, width = frames[0].shape[:2]
    writer = Writer(path, (width, height), Fraction(rate))
    for number, frame in enumerate(frames):
        writer.add(frame, number * 1_000_000 // rate)
    writer.close()
    return path


def noise(seed: int, size: tuple[int, int] = (192, 108), low: int = 60, high: int = 200) -> Pixels:
    """A picture of soft patches, unlike that of any other seed."""
    patches = np.random.default_rng(seed).integers(low, high, (6, 8, 3), np.uint8)
    rows, columns = np.arange(size[1]) * 6 // size[1], np.arange(size[0]) * 8 // size[0]
    return np.ascontiguousarray(patches[rows][:, columns])


def bars(size: tuple[int, int] = (192, 108)) -> Pixels:
    """SMPTE colour bars: seven of 75 %, and the darker rows below them."""
    on = ("111", "110", "011", "010", "101", "100", "001")
    colours = np.array([[191 * int(bit) for bit in one] for one in on], np.uint8)
    picture = np.tile(colours[np.arange(size[0]) * 7 // size[0]], (size[1], 1, 1))
    picture[size[1] * 2 // 3 :] = 20
    return picture
