"""What a JPEG or PNG says of itself before any pixel is decoded, and its bytes less all metadata.

Decoders inflate and parse metadata (ICC profiles, EXIF tables, compressed text) before anyone asks
for it, which a small file can make costly. So the container is walked here, by offsets alone, and
the decoder is given only what the pixels need.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from beholden.vision.formats import JPEG, PNG

_SOI, _SOS, _EOI, _COM = 0xD8, 0xDA, 0xD9, 0xFE
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PIXEL_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_ORIENTATION = 0x0112


class MalformedError(ValueError):
    """The container cannot be walked to the pixels; the message completes "the JPEG ..."."""


@dataclass(frozen=True, slots=True)
class Header:
    """Size as stored (not upright), EXIF orientation (1-8) and the file's bytes less all metadata.

    `scans` is how many passes over the picture a JPEG asks of its decoder, at most. `profile` is the
    colours' ICC profile as it lies in the file: a JPEG's itself, a PNG's chunk, packed.
    """

    format: str
    width: int
    height: int
    orientation: int
    essence: bytes = field(repr=False)
    scans: int = 1
    profile: bytes = field(default=b"", repr=False)


def read(content: bytes, format: str) -> Header:
    """Walks a `JPEG` or `PNG`; raises MalformedError."""
    try:
        return _read_jpeg(content) if format == JPEG else _read_png(content)
    except (struct.error, IndexError):
        raise MalformedError("is cut short") from None


def _read_jpeg(content: bytes) -> Header:
    """ITU-T T.81, annex B: segments up to the first scan; JFIF and Adobe ones tell the colours."""
    size: tuple[int, int] | None = None
    kept = [content[:2]]
    told: list[tuple[int, bytes]] = []
    at = 2
    while True:
        if content[at] != 0xFF:
            raise MalformedError("is damaged: a marker was expected in its header")
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _STANDALONE:
            at += 2
            continue
        if marker == _SOS:
            break
        if marker in (_SOI, _EOI):
            raise MalformedError("is damaged: it ends before its first scan")
        (length,) = struct.unpack_from(">H", content, at + 2)
        if length < 2 or at + 2 + length > len(content):
            raise MalformedError("is cut short in its header")
        body = content[at + 4 : at + 2 + length]
        if marker in _FRAMES:
            if size is not None:
                raise MalformedError("is damaged: it has two sizes")
            height, width = struct.unpack_from(">HH", body, 1)
            size = width, height
        metadata = _APP0 <= marker < 0xF0 or marker == _COM
        if not metadata or (marker, body[:5]) in ((_APP0, b"JFIF\0"), (_APP14, b"Adobe")):
            kept.append(content[at : at + 2 + length])
        else:
            told.append((marker, body))
        at += 2 + length
    if size is None:
        raise MalformedError("is damaged: its size is missing")
    scans = content.count(bytes((0xFF, _SOS)), at)
    exif = (body[6:] for marker, body in told if marker == _APP1 and body.startswith(b"Exif\0\0"))
    orientation = next((turned for one in exif if (turned := _orientation(one)) != 1), 1)
    # A profile longer than a segment goes on in the next, each with its number (ICC.1, B.4).
    parts = {body[12]: body[14:] for marker, body in told if marker == _APP2 and _icc(body)}
    profile = b"".join(parts[number] for number in sorted(parts))
    essence = b"".join((*kept, content[at:]))
    return Header(JPEG, *size, orientation, essence, scans, profile)


def _read_png(content: bytes) -> Header:
    """ISO/IEC 15948, clause 5: chunks to the end; only the first image of an animation is kept."""
    size: tuple[int, int] | None = None
    orientation = 1
    kept = [content[:8]]
    profile = b""
    at = 8
    kind = b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise MalformedError("is cut short")
        if (kind == b"IHDR") != (size is None):
            raise MalformedError("is damaged: it must begin with one header chunk")
        if kind == b"IHDR":
            size = struct.unpack_from(">II", content, at + 8)
        elif kind == b"eXIf" and orientation == 1:
            orientation = _orientation(content[at + 8 : end - 4])
        elif kind == b"iCCP":
            profile = content[at + 8 : end - 4]
        if kind in _PIXEL_CHUNKS:
            kept.append(content[at:end])
        at = end
    assert size is not None
    return Header(PNG, *size, orientation, b"".join(kept), profile=profile)


def _icc(segment: bytes) -> bool:
    return len(segment) > 14 and segment.startswith(b"ICC_PROFILE\0")


def _orientation(exif: bytes) -> int:
    """The orientation tag of IFD0 (EXIF 2.3, 4.6.4), or 1 where it is missing or makes no sense."""
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    try:
        magic, at = struct.unpack_from(f"{order}HI", exif, 2)
        (entries,) = struct.unpack_from(f"{order}H", exif, at)
        for entry in range(at + 2, at + 2 + 12 * entries, 12):
            tag, kind, count, value = struct.unpack_from(f"{order}HHIH", exif, entry)
            if tag == _ORIENTATION:
                return value if magic == 42 and kind == 3 and count == 1 and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
