"""`beholden redact`, as a user types it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.e2e.conftest import Shell

HERALD = ("--as", "daily-herald")


@pytest.fixture
def photos(tmp_path: Path, astronaut: Path, scenery: Path) -> Path:
    """A folder with a face, one without, and what is no picture."""
    folder = tmp_path / "photos"
    (folder / "trip").mkdir(parents=True)
    Image.open(astronaut).resize((256, 256)).save(folder / "collins.jpg")
    Image.open(scenery).resize((256, 170)).save(folder / "trip" / "coffee.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff" + bytes(100))
    return folder


def test_one_picture_is_written_with_its_face_hidden(shell: Shell, photos: Path) -> None:
    source, out = photos / "collins.jpg", photos.parent / "out" / "safe.jpg"
    shown = shell.run("redact", source, out, *HERALD, "--faces", "--style", "box")
    assert shown.code == 0, shown.err
    assert "1 face hidden in" in shown.out
    assert "centerface@1" in shown.out
    after = np.array(Image.open(out))
    assert after.shape == (256, 256, 3)
    assert after[40:80, 100:125].max() < 8
    told = shell.run("redact", source, out, *HERALD, "--faces", "--text", "--json").json
    assert told["out"] == str(out)
    assert "content" not in told
    assert [one["kind"] for one in told["redactions"]].count("REDACTION_KIND_FACE") == 1


def test_a_folder_goes_into_another_past_bad_pictures(shell: Shell, photos: Path) -> None:
    out = photos.parent / "safe"
    ended = shell.run("redact", photos, out, *HERALD, "--faces", "--json")
    assert ended.code == 1, ended.err
    *told, summary = ended.lines
    assert {Path(one["file"]).name: "error" in one for one in told} == {
        "broken.jpg": True,
        "collins.jpg": False,
        "coffee.png": False,
    }
    assert summary["summary"] | {"faces": 0} == {
        "pictures": 3, "of": 3, "faces": 0, "lines": 0, "unsafe": 0, "whole": 0,
        "untouched": 3 - 1 - sum(bool(one.get("redactions")) for one in told),
        "failed": 1, "interrupted": False,
    }  # fmt: skip
    written = sorted(str(one.relative_to(out)) for one in out.rglob("*") if one.is_file())
    assert written == ["collins.jpg", "trip/coffee.png"], "nothing for what failed, nothing half"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("collins.jpg", "safe.jpg"), "say what to hide"),
        (("collins.jpg", "collins.jpg", "--faces"), "would be lost"),
        (("collins.jpg", "safe.png", "--faces"), "must end in .jpg"),
        ((".", "trip", "--faces"), "name a folder elsewhere"),
        ((".", "collins.jpg", "--faces"), "name a folder elsewhere"),
        (("nowhere.jpg", "safe.jpg", "--faces"), "no such file"),
        (("collins.jpg", "safe.jpg", "--faces", "--style", "smear"), "smear"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    shell: Shell, photos: Path, words: tuple[str, ...], says: str
) -> None:
    before = {one: one.read_bytes() for one in photos.rglob("*") if one.is_file()}
    source, out, *options = words
    ended = shell.run("redact", photos / source, photos / out, *HERALD, *options)
    assert ended.code == 2, ended.err
    assert says in " ".join(ended.err.replace("│", " ").split())
    assert {one: one.read_bytes() for one in photos.rglob("*") if one.is_file()} == before


def test_a_refused_folder_leaves_nothing(shell: Shell, photos: Path) -> None:
    out = photos.parent / "safe"
    ended = shell.run("redact", photos, out, "--as", "beholden-ops", "--faces")
    assert ended.code == 3, ended.err
    assert not out.exists()
    shutil.rmtree(photos)
