"""From a file's bytes to upright RGB pixels, within limits that are checked before decoding."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from beholden.core.errors import InvalidArgument
from beholden.core.faces import Pixels
from beholden.vision.formats import JPEG, PNG, identify
from beholden.vision.headers import Header, MalformedError, read
from beholden.vision.scaling import fit_within, resized

MAX_BYTES = 5 * 2**20
MAX_PIXELS = 50_000_000
MIN_SIDE = 16

# A progressive JPEG may ask for any number of passes over the whole picture; real ones ask for ten.
_MAX_SCANS_AT_MAX_PIXELS = 50
_BAND_BYTES = 128 * 1024  # copied band by band, so that the copies stay in the processor's cache
_BACKGROUND = (255, 255, 255, 255)


@dataclass(frozen=True, slots=True)
class Picture:
    """`pixels` uint8 (H, W, 3) RGB, upright; the full size is the upright file's, unreduced."""

    pixels: Pixels
    full_width: int
    full_height: int

    @property
    def scale(self) -> float:
        """What the pixels were reduced by, in (0, 1]: 0.5 is half the full width."""
        height, width = self.pixels.shape[:2]
        return float(max(width, height) / max(self.full_width, self.full_height))


def decode(
    content: bytes,
    *,
    field: str = "image.content",
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    min_side: int = MIN_SIDE,
    max_side: int | None = None,
) -> Picture:
    """Decodes a JPEG or PNG, told by its content, as an upright RGB picture.

    The EXIF orientation is applied. Transparency is laid on white. 16-bit samples are scaled to 8,
    CMYK is turned to RGB without its ICC profile, and of an animated PNG the still image is taken.
    With `max_side`, a larger picture is reduced so that its longer side is `max_side`: a JPEG is
    decoded at the smallest DCT scale (1/2, 1/4, 1/8) that still covers it, and the rest is area
    averaging. Memory stays under about 7 bytes a pixel, 13 for a progressive JPEG.

    Raises InvalidArgument for `field`: nothing there, over `max_bytes`, another format, damaged or
    cut short, over `max_pixels`, or a side under `min_side` pixels.
    """
    header = _checked_header(content, field, max_bytes, max_pixels, min_side)
    target = fit_within(header.width, header.height, max_side or max(header.width, header.height))
    try:
        pixels = _decode(header, target)
    except MemoryError:
        raise
    # Pillow reports hostile bytes by whatever its parsers trip over; all of it means the same.
    except Exception as error:
        cut = "truncated" in str(error)
        problem = "is cut short" if cut else "is damaged, or of a kind that is not supported"
        raise InvalidArgument(field, f"the {header.format} {problem}") from error
    pixels = resized(pixels, *target)
    swapped = header.orientation >= 5
    return Picture(
        pixels=_upright(pixels, header.orientation),
        full_width=header.height if swapped else header.width,
        full_height=header.width if swapped else header.height,
    )


def _checked_header(
    content: bytes, field: str, max_bytes: int, max_pixels: int, min_side: int
) -> Header:
    if not content:
        raise InvalidArgument(field, "is empty; it must be the bytes of a JPEG or PNG file")
    if len(content) > max_bytes:
        raise InvalidArgument(
            field,
            f"is {len(content):,} bytes; at most {max_bytes:,} are accepted",
        )
    kind = identify(content)
    if kind not in (JPEG, PNG):
        raise InvalidArgument(field, f"must be a JPEG or PNG file; this is {kind}")
    try:
        header = read(content, kind)
    except MalformedError as error:
        raise InvalidArgument(field, f"the {kind} {error}") from None
    size = f"the picture is {header.width} x {header.height} pixels"
    if header.width * header.height > max_pixels:
        raise InvalidArgument(
            field, f"{size}; at most {max_pixels / 1e6:g} megapixels are accepted"
        )
    if min(header.width, header.height) < min_side:
        raise InvalidArgument(field, f"{size}; at least {min_side} a side are needed")
    if header.scans * header.width * header.height > _MAX_SCANS_AT_MAX_PIXELS * max_pixels:
        raise InvalidArgument(
            field, f"the JPEG asks for {header.scans} passes over its pixels; save it as baseline"
        )
    return header


def _decode(header: Header, target: tuple[int, int]) -> Pixels:
    # The plugins are called directly: Image.open would consult process-wide limits and warnings.
    file = io.BytesIO(header.essence)
    image: JpegImageFile | PngImageFile
    if header.format == JPEG:
        image = JpegImageFile(file)
        scale = _dct_scale(header, target)
        image.draft(None, (header.width // scale, header.height // scale))
    else:
        image = PngImageFile(file)
    image.load()
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    rows = max(1, _BAND_BYTES // (4 * image.width))
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        pixels[top:bottom] = _rgb(image.crop((0, top, image.width, bottom)))
    return pixels


def _dct_scale(header: Header, target: tuple[int, int]) -> int:
    """The largest divisor, of those that JPEG decoders offer, that keeps the picture's quality.

    A decoder rounds the reduced size up, so that the picture seems to be a little wider than it is;
    that may move no edge of the target by more than a quarter of a pixel.
    """
    sides = tuple(zip((header.width, header.height), target, strict=True))
    for scale in (8, 4, 2):
        if all(full // scale >= goal and -full % scale * goal * 4 <= full for full, goal in sides):
            return scale
    return 1


def _rgb(image: Image.Image) -> Pixels:
    if image.mode == "I;16":
        grey = ((np.asarray(image, np.uint32) + 128) // 257).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if image.has_transparency_data:
        ground = Image.new("RGBA", image.size, _BACKGROUND)
        image = Image.alpha_composite(ground, image.convert("RGBA"))
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """Undoes an EXIF orientation (EXIF 2.3, 4.6.4)."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
