"""Pictures for tests: real ones where they lie, odd and bad ones made in memory."""

import io
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("BEHOLDEN_TEST_DATA") or ROOT.parent / "shared" / "data")

# Left eye, right eye, nose, mouth corners as shares of the picture, as CenterFace finds them.
LANDMARKS = {
    "astronaut": (
        (0.3968, 0.1986), (0.4824, 0.2041), (0.4361, 0.2443), (0.3972, 0.2780), (0.4714, 0.2821),
    ),
    "faces/test_images/obama.jpg": (
        (0.4757, 0.1887), (0.6165, 0.1824), (0.5522, 0.2464), (0.4870, 0.2978), (0.6102, 0.2921),
    ),
    "faces/test_images/biden.jpg": (
        (0.5507, 0.1447), (0.6914, 0.1586), (0.6185, 0.1856), (0.5259, 0.2047), (0.6456, 0.2161),
    ),
    "faces/knn_examples/train/rose_leslie/img1.jpg": (
        (0.5376, 0.2482), (0.6269, 0.2345), (0.5836, 0.3260), (0.5485, 0.3900), (0.6248, 0.3777),
    ),
    "faces/knn_examples/train/kit_harington/john2.jpeg": (
        (0.5503, 0.4168), (0.6556, 0.4093), (0.5799, 0.5439), (0.5657, 0.6357), (0.6530, 0.6265),
    ),
    "faces/knn_examples/test/obama1.jpg": (
        (0.4623, 0.3973), (0.5656, 0.3793), (0.5354, 0.4961), (0.4740, 0.5881), (0.5625, 0.5742),
    ),
    "faces/carell.jpg": (
        (0.2688, 0.3668), (0.5412, 0.3489), (0.3871, 0.4594), (0.3042, 0.5345), (0.5434, 0.5177),
    ),
}  # fmt: skip


def missing(what: str) -> None:
    """Skips, or fails where everything is meant to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def archives() -> Path:
    """Where tests keep the packages that models come out of, so that each is downloaded once."""
    kept = ROOT / "var" / "archives"
    kept.mkdir(parents=True, exist_ok=True)
    return kept


def path(name: str) -> Path:
    """A picture of the test data, or "astronaut", which scikit-image ships."""
    found = Path(skimage.__file__).parent / "data" / "astronaut.png"
    if name != "astronaut":
        found = DATA / name
    if not found.is_file():
        missing(f"no {name} in {DATA}; set BEHOLDEN_TEST_DATA")
    return found


def pixels(name: str) -> np.ndarray:
    """The picture as uint8 (H, W, 3) RGB; none of the test data is turned by EXIF."""
    return np.array(Image.open(path(name)).convert("RGB"))


def landmarks(name: str) -> np.ndarray:
    """The five points of the largest face, (1, 5, 2), as shares of the picture."""
    return np.array([LANDMARKS[name]])


def encode(picture: np.ndarray | Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of a file; options are Pillow's, and `orientation` is EXIF's."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    if orientation := options.pop("orientation", None):
        options["exif"] = Image.Exif()
        options["exif"][0x0112] = orientation
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    width: int, height: int, rows: bytes, *, bits: int = 8, colour: int = 2, chunks: bytes = b""
) -> bytes:
    """A PNG of raw scan lines (each after its filter byte), with `chunks` before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunks,
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        )
    )


def bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that would cost a careless decoder gigabytes or minutes."""
    zeros = bytes(16 * 2**20)
    flat = bytes(20 * 61)
    yield "50,000 x 50,000 pixels", png(50_000, 50_000, zeros)
    yield "65,535 x 65,535 grey pixels", png(65_535, 65_535, zeros, colour=0)
    yield "2^31 - 1 pixels wide", png(2**31 - 1, 1, zeros)
    swollen = zlib.compress(zeros)
    yield "ICC profile", png(20, 20, flat, chunks=chunk(b"iCCP", b"icc\0\0" + swollen))
    texts = b"".join(chunk(b"zTXt", b"key\0\0" + swollen) for _ in range(60))
    yield "compressed texts", png(20, 20, flat, chunks=texts)
    jpeg = encode(np.zeros((64, 64, 3), np.uint8), "JPEG")
    size = jpeg.index(struct.pack(">HH", 64, 64))
    yield (
        "65,000 x 65,000 JPEG",
        jpeg[:size] + struct.pack(">HH", 65_000, 65_000) + jpeg[size + 4 :],
    )
    large = encode(np.zeros((7000, 7000), np.uint8), "JPEG", progressive=True)
    last_scan = large[large.rindex(b"\xff\xda") : -2]
    yield "10,000 passes", large[:-2] + last_scan * 10_000 + b"\xff\xd9"
