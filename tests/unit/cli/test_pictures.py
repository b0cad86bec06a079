"""Which files are taken, and how much of them."""

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from beholden.cli import pictures
from beholden.cli.failures import ExitCode, Failure


def test_the_limit_is_the_apis_own() -> None:
    assert pictures.LARGEST == 5 * 1024 * 1024


def test_reads_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(bytes(pictures.LARGEST))
    assert len(pictures.read(path).content) == pictures.LARGEST


def test_refuses_what_is_larger_without_reading_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(Failure, match="larger than 5 MiB") as caught:
        pictures.read(path)
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.fields[0][0] == str(path)


def test_refuses_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="no such file"):
        pictures.read(tmp_path / "absent.jpg")
    with pytest.raises(Failure, match="is a directory"):
        pictures.read(tmp_path)


def test_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"bytes")))
    assert pictures.read(Path("-")).content == b"bytes"


def test_finds_pictures_in_folders_and_takes_named_files_as_they_are(tmp_path: Path) -> None:
    for name in (
        "b.PNG",
        "a.jpg",
        "notes.txt",
        ".hidden.jpg",
        "in/c.jpeg",
        ".git/d.jpg",
        "in/e.gif",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "folder.jpg").mkdir()
    found = pictures.find([tmp_path, tmp_path / "notes.txt", tmp_path / "a.jpg"])
    assert [str(path.relative_to(tmp_path)) for path in found] == [
        "a.jpg",
        "b.PNG",
        "in/c.jpeg",
        "notes.txt",
    ]
