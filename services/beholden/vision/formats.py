"""What a file is by its first bytes, whatever it is called, in words that a person understands."""

from __future__ import annotations

JPEG = "JPEG"
PNG = "PNG"

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", JPEG),
    (0, b"\x89PNG\r\n\x1a\n", PNG),
    (0, b"GIF8", "a GIF"),
    (8, b"WEBP", "a WebP"),
    (4, b"ftypheic", "a HEIC photo"),
    (4, b"ftypheix", "a HEIC photo"),
    (4, b"ftypmif1", "a HEIF photo"),
    (4, b"ftypavif", "an AVIF picture"),
    (4, b"ftyp", "an MP4 or MOV video"),
    (0, b"\xff\x0a", "a JPEG XL picture"),
    (4, b"JXL ", "a JPEG XL picture"),
    (4, b"jP  ", "a JPEG 2000 picture"),
    (0, b"BM", "a BMP"),
    (0, b"II*\x00", "a TIFF or raw photo"),
    (0, b"MM\x00*", "a TIFF or raw photo"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF"),
    (0, b"PK\x03\x04", "a ZIP archive or office document"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"\x1aE\xdf\xa3", "a WebM or Matroska video"),
)
_TEXTS: tuple[tuple[bytes, str], ...] = (
    (b"/9j/", "a JPEG in base64: send the bytes that it stands for"),
    (b"ivborw0kggo", "a PNG in base64: send the bytes that it stands for"),
    (b"data:image/", "a data URL: send the bytes that it stands for"),
    (b"http://", "a web address: send the picture's bytes"),
    (b"https://", "a web address: send the picture's bytes"),
    (b"<!doctype html", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"<svg", "an SVG drawing"),
    (b"{", "JSON text"),
)
_HEAD = 1024


def identify(content: bytes) -> str:
    """`JPEG`, `PNG`, or what else it looks like, with its article: "a GIF", "an HTML page"."""
    for offset, signature, name in _SIGNATURES:
        if content.startswith(signature, offset):
            return name
    head = content[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, name in _TEXTS:
        if head.startswith(start):
            return name
    if head.startswith((b"<?xml", b"<!--", b"<!doctype")):
        return "an SVG drawing" if b"<svg" in head else "an XML document"
    return "no kind of picture that is known here"
