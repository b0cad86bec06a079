"""A picture as a file again: of the format that it came in, its pixels and nothing else."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, JpegImagePlugin
from PIL.JpegImagePlugin import JpegImageFile

from beholden.core.faces import Pixels
from beholden.vision.formats import JPEG
from beholden.vision.headers import Header

MIME_TYPES = {JPEG: "image/jpeg", "PNG": "image/png"}
"""What each format is called on the web."""

_QUALITY = 90


def encode_like(header: Header, pixels: Pixels) -> bytes:
    """`pixels` (H, W, 3) in sRGB as a file of `header`'s format, without metadata.

    A JPEG is as fine as it came: with its own quantisation and subsampling, where it had both.
    """
    out = io.BytesIO()
    options = _as_fine(header) if header.format == JPEG else {}
    Image.fromarray(pixels).save(out, header.format, **options)
    return out.getvalue()


def _as_fine(header: Header) -> dict[str, Any]:
    came = JpegImageFile(io.BytesIO(header.essence))
    tables = list(came.quantization.values())
    subsampling = JpegImagePlugin.get_sampling(came)
    baseline = all(0 < step < 256 for table in tables for step in table)
    if subsampling < 0 or not baseline or not 0 < len(tables) <= 2:
        return {"quality": _QUALITY}
    return {"qtables": tables, "subsampling": subsampling}
