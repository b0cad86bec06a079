"""Picture files: which there are, and their bytes within the API's own limit."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from beholden.cli.failures import Failure
from beholden.cli.objects import Object
from beholden.v1 import image_pb2, policy_pb2

Thing = TypeVar("Thing")
Made = TypeVar("Made")

# A store far away takes its time for each, whoever else is being served.
_READERS = 8
_AHEAD = 16

SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
"""What is taken from folders; a file that is named is taken whatever it is called."""

_OPTIONS: Any = image_pb2.Image.DESCRIPTOR.fields_by_name["content"].GetOptions()
LARGEST = int(_OPTIONS.Extensions[policy_pb2.limits].max_length)
"""The most bytes that a picture may have, from the proto's own annotation."""


def read(path: Path | Object) -> image_pb2.Image:
    """The picture at `path` ("-": standard input), not looked into: that is the server's.

    Raises:
        Failure: it cannot be read, or is larger than the server takes.
    """
    try:
        if str(path) == "-":
            content = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
    except OSError as error:
        raise _unusable(path, (error.strerror or str(error)).lower()) from None
    if len(content) > LARGEST:
        raise _unusable(path, f"is larger than {LARGEST // 1024**2} MiB; scale it down first")
    return image_pb2.Image(content=content)


def ahead(
    things: Iterable[Thing], read: Callable[[Thing], Made]
) -> Iterator[tuple[Thing, Callable[[], Made]]]:
    """Each with what gives the outcome of `read`, which eight threads do for those that come next."""
    waiting: deque[tuple[Thing, Future[Made]]] = deque()
    with ThreadPoolExecutor(_READERS) as pool:
        for thing in things:
            waiting.append((thing, pool.submit(read, thing)))
            if len(waiting) > _AHEAD:
                first, made = waiting.popleft()
                yield first, made.result
        for first, made in waiting:
            yield first, made.result


def find(paths: Iterable[Path]) -> list[Path]:
    """Files as they are named; folders as the pictures in and under them, by name, hidden ones left out."""
    found: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            found[path] = None
            continue
        for inside in sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in inside.relative_to(path).parts)
            if inside.suffix.lower() in SUFFIXES and not hidden and inside.is_file():
                found[inside] = None
    return list(found)


def _unusable(path: Path | Object, problem: str) -> Failure:
    return Failure(f"{path}: {problem}", status="INVALID_ARGUMENT", fields=((str(path), problem),))
