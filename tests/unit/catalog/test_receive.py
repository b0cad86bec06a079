"""A file is what was pinned, or nothing of it stays."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from beholden.catalog.entries import PinnedFile
from beholden.catalog.sources.receive import SourceError, receive

CONTENT = b"weights" * 100
PIN = PinnedFile(name="w", bytes=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())


def test_the_pinned_file_is_kept_and_counted(tmp_path: Path) -> None:
    came: list[int] = []
    receive([CONTENT[:300], CONTENT[300:]], PIN, tmp_path, came.append)
    assert (tmp_path / "w").read_bytes() == CONTENT
    assert came == [300, 400]


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        ([CONTENT[:-1]], "ends at 699 of the 700 bytes"),
        ([], "ends at 0 of"),
        ([CONTENT, b"!"], "larger than the 700 bytes"),
        ([CONTENT[::-1]], f"pinned is {PIN.sha256}"),
    ],
)
def test_anything_else_leaves_nothing(tmp_path: Path, chunks: list[bytes], said: str) -> None:
    with pytest.raises(SourceError, match=said):
        receive(chunks, PIN, tmp_path, lambda _: None)
    assert not list(tmp_path.iterdir())


def test_an_endless_stream_is_left_at_the_pinned_size(tmp_path: Path) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"\0" * 100

    with pytest.raises(SourceError, match="larger"):
        receive(endless(), PIN, tmp_path, lambda _: None)
    assert taken == 8


def test_an_interrupted_stream_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> Iterator[bytes]:
        yield CONTENT[:10]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        receive(interrupted(), PIN, tmp_path, lambda _: None)
    assert not list(tmp_path.iterdir())
