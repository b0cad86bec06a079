"""The one way in: a file is what the catalogue pinned, byte for byte, or it is not kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from beholden.catalog.entries import PinnedFile

CHUNK = 1 << 20

Advance = Callable[[int], None]
"""Told of each so many bytes that came in."""


class SourceError(Exception):
    """A source cannot give what was asked; the message says why, for a person."""


def receive(chunks: Iterable[bytes], pin: PinnedFile, folder: Path, advance: Advance) -> None:
    """Write `chunks` to `folder` under the pin's name, never more than its size.

    Raises:
        SourceError: the size or the SHA-256 is not the pinned one; nothing is kept.
    """
    target = folder / pin.name
    digest, size = hashlib.sha256(), 0
    try:
        with target.open("xb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > pin.bytes:
                    raise SourceError(f"{pin.name} is larger than the {pin.bytes} bytes pinned")
                digest.update(chunk)
                file.write(chunk)
                advance(len(chunk))
        if size < pin.bytes:
            raise SourceError(f"{pin.name} ends at {size} of the {pin.bytes} bytes pinned")
        if digest.hexdigest() != pin.sha256:
            raise SourceError(
                f"{pin.name} has the SHA-256 {digest.hexdigest()}, pinned is {pin.sha256}"
            )
    except BaseException:
        target.unlink(missing_ok=True)
        raise
