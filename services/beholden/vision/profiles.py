"""Colours as they are meant: from a file's own ICC profile to sRGB."""

from __future__ import annotations

import io
import zlib

import numpy as np
from PIL import Image, ImageCms

from beholden.core.faces import Pixels
from beholden.vision.formats import JPEG
from beholden.vision.headers import Header

_LARGEST = 4 * 2**20


def to_srgb(pixels: Pixels, header: Header) -> Pixels:
    """`pixels` (H, W, 3) in sRGB; the same array where the file has no profile for RGB, or a broken one."""
    profile = _profile(header)
    if not profile:
        return pixels
    try:
        meant = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if meant.profile.xcolor_space.strip() != "RGB":
            return pixels
        transform = ImageCms.buildTransform(meant, ImageCms.createProfile("sRGB"), "RGB", "RGB")
        return np.array(ImageCms.applyTransform(Image.fromarray(pixels), transform), np.uint8)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return pixels


def _profile(header: Header) -> bytes:
    if header.format == JPEG or not header.profile:
        return header.profile
    # A PNG's is a name, a zero, the method and what zlib made of it (ISO/IEC 15948, 11.3.3.3).
    _, _, packed = header.profile.partition(b"\0")
    try:
        return zlib.decompressobj().decompress(packed[1:], _LARGEST)
    except zlib.error:
        return b""
