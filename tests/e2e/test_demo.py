"""The demo as a newcomer runs it: the story is told, pictures are drawn, nothing is left behind."""

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from PIL import Image

from tests import pictures
from tests.e2e.conftest import Ended, command

STORY = (
    "1 face in photos/astronaut.png",
    "39 faces in archive from 5 of 5 pictures",
    "1 face like disguised.jpg in archive",
    "Refused by policy",
    "amazon-2021/police-face-comparison",
    "2020-06-10",
    "further notice",
    "Find the Lost, to identify victims",
    "face.search_by_image: allowed",
    "min similarity 0.85",
    "max results 100",
    "1 face like disguised.jpg in missing",
    "nothing unsafe was told",
    "The chain holds",
    "The chain is broken",
    "was changed after it was written",
)


def play(cwd: Path, env: Mapping[str, str], *arguments: str | Path) -> Ended:
    done = subprocess.run(
        command("demo", *arguments),
        cwd=cwd,
        env={**env, "COLUMNS": "120"},
        capture_output=True,
        timeout=150,
        check=False,
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def newcomer(models: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of somebody whose own settings must not get into the story."""
    return {
        **os.environ,
        "TMPDIR": str(tmp_path),
        "BEHOLDEN_MODEL_REPOSITORY": str(models),
        "BEHOLDEN_PURPOSE": "nobody_knows_this",
        "BEHOLDEN_TOKEN": "nonsense",
        "BEHOLDEN_SERVER": "127.0.0.1:1",
    }


def test_the_story_is_told(newcomer: dict[str, str], tmp_path: Path) -> None:
    ended = play(tmp_path, newcomer)
    assert ended.code == 0, ended.out + ended.err
    for line in STORY:
        assert line in ended.out
    assert len(ended.out.splitlines()) <= 70
    drawn = {path.name for path in (tmp_path / "out").iterdir()}
    assert drawn == {"1-faces.png", "2-found.png", "4-found.png", "5-verdict.png"}
    for name in drawn:
        with Image.open(tmp_path / "out" / name) as picture:
            assert min(picture.size) >= 512
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.thorough
def test_it_is_told_on_peoples_own_pictures(newcomer: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a-broken.jpg").write_bytes(b"\xff\xd8\xff")
    scenery = pictures.path("astronaut").with_name("coffee.png")
    (folder / "b-scenery.png").write_bytes(scenery.read_bytes())
    obama = pictures.path("faces/test_images/obama.jpg")
    (folder / "c-obama.jpg").write_bytes(obama.read_bytes())
    ended = play(tmp_path, newcomer, "--pictures", "mine", "--out", "drawn", "--keep")
    # The broken picture cannot be indexed, which the demo says and its exit code tells.
    assert ended.code == 1
    assert "c-obama" in ended.out
    assert "The chain is broken" in ended.out
    assert (tmp_path / "drawn" / "2-found.png").is_file()
    kept = re.search(r"server's files in\s+(\S+)", ended.out)
    assert kept
    assert (Path(kept.group(1)) / "ledger.db").is_file()


@pytest.mark.thorough
def test_a_role_without_a_model_is_left_out_and_said(
    newcomer: dict[str, str], tmp_path: Path
) -> None:
    ended = play(tmp_path, {**newcomer, "BEHOLDEN_MODEL_REPOSITORY": str(tmp_path / "none")})
    assert ended.code == 0, ended.out + ended.err
    assert ended.out.count("beholden models pull") == 4
    for line in ("Refused by policy", "The chain holds", "The chain is broken"):
        assert line in ended.out


@pytest.mark.parametrize("name", ["absent", "empty"])
def test_a_folder_without_pictures(newcomer: dict[str, str], tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    ended = play(tmp_path, newcomer, "--pictures", name)
    assert ended.code == 2
    assert "no JPEG or PNG files" in ended.err


@pytest.mark.thorough
def test_ctrl_c_leaves_nothing_behind(newcomer: dict[str, str], tmp_path: Path) -> None:
    with subprocess.Popen(
        command("demo"),
        cwd=tmp_path,
        env=newcomer,
        stdout=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has Ctrl-C ignored, and so would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as playing:
        assert playing.stdout is not None
        next(line for line in playing.stdout if "2  A newsroom" in line)
        playing.send_signal(signal.SIGINT)
        playing.communicate(timeout=60)
        assert playing.returncode == 130
    assert {path.name for path in tmp_path.iterdir()} <= {"out"}
