import io
import struct

import numpy as np
import pytest
from PIL import Image

from beholden.vision.formats import JPEG, PNG
from beholden.vision.headers import MalformedError, read
from tests.pictures import chunk, encode, png

PICTURE = np.arange(24 * 32 * 3, dtype=np.uint8).reshape(24, 32, 3)
FLAT = bytes(20 * 61)


@pytest.mark.parametrize("kind", [JPEG, PNG])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_reads_size_as_stored_and_orientation(kind: str, orientation: int) -> None:
    header = read(encode(PICTURE, kind, orientation=orientation), kind)
    assert (header.width, header.height, header.orientation) == (32, 24, orientation)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("kind", "count", "value", "orientation"),
    [(3, 1, 6, 6), (3, 1, 0, 1), (3, 1, 9, 1), (3, 2, 6, 1), (4, 1, 6, 1)],
)
def test_an_orientation_that_makes_no_sense_is_upright(
    order: str, kind: int, count: int, value: int, orientation: int
) -> None:
    mark = b"II" if order == "<" else b"MM"
    entry = struct.pack(f"{order}HHIHH", 0x0112, kind, count, value, 0)
    exif = mark + struct.pack(f"{order}HIH", 42, 8, 1) + entry
    content = png(20, 20, FLAT, chunks=chunk(b"eXIf", exif))
    assert read(content, PNG).orientation == orientation


@pytest.mark.parametrize(
    "exif", [b"", b"II", b"II*\0", b"MM\0*\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_damaged_exif_is_upright(exif: bytes) -> None:
    assert read(png(20, 20, FLAT, chunks=chunk(b"eXIf", exif)), PNG).orientation == 1


def test_metadata_never_reaches_the_decoder() -> None:
    secret = b"a place and a name"
    jpeg = encode(PICTURE, "JPEG", comment=secret, icc_profile=secret, orientation=6)
    still = encode(PICTURE, icc_profile=secret)
    still = still[:33] + chunk(b"tEXt", b"key\0" + secret) + still[33:]
    for content, kind in ((jpeg, JPEG), (still, PNG)):
        assert secret in content
        header = read(content, kind)
        assert secret not in header.essence
        image = Image.open(io.BytesIO(header.essence))
        assert not image.getexif()
        assert "icc_profile" not in image.info
        assert np.array_equal(np.asarray(image), np.asarray(Image.open(io.BytesIO(content))))


def test_only_the_still_image_of_an_animation_is_kept() -> None:
    frames = [Image.fromarray(np.full((20, 20, 3), value, np.uint8)) for value in (10, 200)]
    content = encode(frames[0], save_all=True, append_images=frames[1:])
    assert b"fdAT" in content
    header = read(content, PNG)
    assert b"fdAT" not in header.essence
    assert b"acTL" not in header.essence


def test_counts_the_passes_that_a_jpeg_asks_for() -> None:
    assert read(encode(PICTURE, "JPEG"), JPEG).scans == 1
    assert read(encode(PICTURE, "JPEG", progressive=True), JPEG).scans == 10


JPEG_FILE = encode(PICTURE, "JPEG")
FRAME = JPEG_FILE[JPEG_FILE.index(b"\xff\xc0") :][:19]


@pytest.mark.parametrize(
    ("content", "kind", "problem"),
    [
        (b"\xff\xd8\xff", JPEG, "cut short"),
        (b"\xff\xd8\xff\xe0\xff\xff", JPEG, "cut short in its header"),
        (b"\xff\xd8\xff\xe0\0\x01", JPEG, "cut short in its header"),
        (b"\xff\xd8\xff\xd9", JPEG, "before its first scan"),
        (b"\xff\xd8\xff\xfe\0\x02zz", JPEG, "a marker was expected"),
        (b"\xff\xd8\xff\xda", JPEG, "its size is missing"),
        (JPEG_FILE.replace(FRAME, 2 * FRAME), JPEG, "two sizes"),
        (b"\x89PNG\r\n\x1a\n", PNG, "cut short"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", b""), PNG, "begin with one header"),
        (png(20, 20, FLAT, chunks=chunk(b"IHDR", bytes(13))), PNG, "begin with one header"),
        (png(20, 20, FLAT)[:-12], PNG, "cut short"),
        (png(20, 20, FLAT)[:33] + b"\xff\xff\xff\xffIDAT", PNG, "cut short"),
    ],
)
def test_says_what_is_wrong_with_a_container(content: bytes, kind: str, problem: str) -> None:
    with pytest.raises(MalformedError, match=problem):
        read(content, kind)
