import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from beholden.vision.encode import encode_like
from beholden.vision.formats import identify
from beholden.vision.headers import read
from beholden.vision.profiles import to_srgb
from tests.pictures import chunk, encode, png

RED = np.full((16, 24, 3), (200, 30, 30), np.uint8)


def turned() -> bytes:
    """sRGB with red and blue the other way around: what is stored as red is meant blue."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"----").replace(b"bXYZ", b"rXYZ").replace(b"----", b"bXYZ")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_colours_are_as_they_were_meant(kind: str) -> None:
    header = read(encode(RED, kind, icc_profile=turned()), kind)
    assert to_srgb(RED, header)[8, 8] == pytest.approx((30, 30, 200), abs=3)


def test_a_long_profile_is_put_together_of_its_segments() -> None:
    profile = turned() + bytes(150_000)
    header = read(encode(RED, "JPEG", icc_profile=profile), "JPEG")
    assert header.profile == profile
    assert to_srgb(RED, header)[8, 8] == pytest.approx((30, 30, 200), abs=3)


@pytest.mark.parametrize("profile", [b"", b"no profile", turned()[:200]])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_broken_profile_changes_nothing(kind: str, profile: bytes) -> None:
    header = read(encode(RED, kind, icc_profile=profile), kind)
    assert to_srgb(RED, header) is RED


@pytest.mark.parametrize("body", [b"", b"name", b"name\0\0no zlib"])
def test_a_broken_profile_chunk_changes_nothing(body: bytes) -> None:
    rows = (b"\0" + RED[0].tobytes()) * 16
    header = read(png(24, 16, rows, chunks=chunk(b"iCCP", body)), "PNG")
    assert to_srgb(RED, header) is RED


@pytest.mark.parametrize(
    "options",
    [{"quality": 35}, {"quality": 95, "subsampling": 0}, {"quality": 80, "progressive": True}],
)
def test_a_jpeg_stays_as_fine_as_it_was(options: dict) -> None:
    came = encode(RED, "JPEG", **options)
    went = encode_like(read(came, identify(came)), RED)
    before, after = Image.open(io.BytesIO(came)), Image.open(io.BytesIO(went))
    assert before.quantization == after.quantization
    assert before.layer == after.layer


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_a_jpeg_of_other_colours_becomes_one_of_three(mode: str) -> None:
    came = encode(Image.fromarray(RED).convert(mode), "JPEG")
    went = Image.open(io.BytesIO(encode_like(read(came, "JPEG"), RED)))
    assert (went.format, went.mode, went.size) == ("JPEG", "RGB", (24, 16))
