"""A folder of the operator's, for closed networks: files are known by content, not by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from beholden.catalog.digests import digest_of
from beholden.catalog.entries import PinnedFile
from beholden.catalog.sources.receive import CHUNK, Advance, SourceError, receive


def obtain(mirror: Path | None, pins: Sequence[PinnedFile], into: Path, advance: Advance) -> None:
    """Copy each pinned file from wherever in `mirror` it lies.

    Raises:
        SourceError: there is no mirror, or a file is not in it.
    """
    if mirror is None:
        raise SourceError("no mirror folder is set")
    if not mirror.is_dir():
        raise SourceError(f"{mirror} is not a folder")
    for pin in pins:
        receive(_chunks(_find(mirror, pin)), pin, into, advance)


def _find(mirror: Path, pin: PinnedFile) -> Path:
    """The file with the pin's content; only files of its size are hashed."""
    for path in sorted(mirror.rglob("*")):
        if path.is_file() and path.stat().st_size == pin.bytes and digest_of(path) == pin.sha256:
            return path
    raise SourceError(f"no file in {mirror} has the content of {pin.name} (SHA-256 {pin.sha256})")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
