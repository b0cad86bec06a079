"""Which container a file is, by its first bytes: the decoder is never left to guess."""

from __future__ import annotations

_TS_PACKET = 188

HEAD = 3 * _TS_PACKET + 1
"""How many bytes of a file are looked at."""


def container(head: bytes) -> str:
    """FFmpeg's name of the format of a file that begins with `head`; empty for one that is not read.

    Playlists, scripts and image sequences, which may name other files, have no entry here.
    """
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mov"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if len(head) == HEAD and all(head[place] == 0x47 for place in range(0, HEAD, _TS_PACKET)):
        return "mpegts"
    return ""


def stream_format(head: bytes) -> str:
    """The same of a stream that begins with `head`; only what can be read as it comes."""
    form = container(head)
    if form in ("matroska", "mpegts"):
        return form
    return "h264" if head[:4] == b"\0\0\0\1" or head[:3] == b"\0\0\1" else ""
