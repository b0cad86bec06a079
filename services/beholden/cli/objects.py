"""Pictures and lists in object stores: `s3://bucket/key`, read as files are."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from beholden.cli.failures import Failure

SCHEME = "s3://"
_FORMS = "must be s3://bucket, s3://bucket/folder or s3://bucket/key"


@dataclass(frozen=True, slots=True)
class Object:
    """One object, as far as `pathlib.Path` for reading goes; `key` begins with its bucket."""

    key: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.key}"

    @property
    def stem(self) -> str:
        """The last part of its key, without the suffix."""
        return PurePosixPath(self.key).stem

    @property
    def suffix(self) -> str:
        """The key's suffix, with its dot."""
        return PurePosixPath(self.key).suffix

    @property
    def parent(self) -> Object:
        """The folder or bucket that it is in."""
        return Object(posixpath.dirname(self.key))

    def __truediv__(self, name: str) -> Object:
        """What `name` names from this folder. Raises ValueError where that is not in its bucket."""
        key = posixpath.normpath(posixpath.join(self.key, name))
        if not key.startswith(f"{self.key.partition('/')[0]}/"):
            raise ValueError(
                f"{name!r} is not in the list's bucket; name others as s3://bucket/key"
            )
        return Object(key)

    def open(self, mode: str = "rb") -> BinaryIO:
        """Reads it from its begin. Raises OSError."""
        stream: BinaryIO = _store().open_input_stream(self.key)
        return stream

    def seekable(self) -> BinaryIO:
        """Reads it anywhere, asking for each part. Raises OSError."""
        file: BinaryIO = _store().open_input_file(self.key)
        return file


def names(path: object) -> bool:
    """Whether `path`, as a person typed it, is in an object store."""
    return str(path).startswith(SCHEME)


def at(url: str) -> Object:
    """The object or folder that `url` names. Raises Failure where it names none."""
    parts = urlsplit(url)
    if not parts.netloc or parts.query:
        raise Failure(f"{url}: {_FORMS}", "INVALID_ARGUMENT", fields=((url, _FORMS),))
    return Object(url.removeprefix(SCHEME).rstrip("/"))


def find(place: Object, suffixes: frozenset[str]) -> list[Object]:
    """The object itself, or those in and under the folder, by key, hidden ones left out.

    Raises Failure where there is neither, or the store cannot be asked.
    """
    from pyarrow.fs import FileSelector, FileType

    try:
        (there,) = _store().get_file_info([place.key])
        if there.type == FileType.File:
            return [place]
        if there.type == FileType.NotFound:
            raise Failure(f"{place}: is not there", "INVALID_ARGUMENT")
        found = _store().get_file_info(FileSelector(place.key, recursive=True))
    except OSError as error:
        raise Failure(f"{place}: {error}", "INVALID_ARGUMENT") from None
    files = (one for one in found if one.type == FileType.File)
    return sorted(_shown(files, place.key, suffixes), key=str)


def _shown(files: Iterator[Any], folder: str, suffixes: frozenset[str]) -> Iterator[Object]:
    for one in files:
        inside = PurePosixPath(one.path).relative_to(folder)
        if inside.suffix.lower() in suffixes and not any(p.startswith(".") for p in inside.parts):
            yield Object(one.path)


@cache
def _store() -> Any:
    """S3, or what speaks like it, as the AWS tools' own variables say. Raises OSError."""
    from pyarrow.fs import S3FileSystem

    said = os.environ.get
    endpoint = said("AWS_ENDPOINT_URL_S3") or said("AWS_ENDPOINT_URL") or ""
    parts = urlsplit(endpoint)
    return S3FileSystem(
        endpoint_override=parts.netloc or None,
        scheme=parts.scheme or None,
        region=said("AWS_REGION") or said("AWS_DEFAULT_REGION"),
        tls_ca_file_path=said("AWS_CA_BUNDLE"),
    )
