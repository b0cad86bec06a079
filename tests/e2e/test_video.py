"""`beholden video`, as a person types it."""

from pathlib import Path

import pytest

from beholden.core.video import VideoLimits
from beholden.media.pyav import AvReader
from tests import clips
from tests.e2e.conftest import Shell


@pytest.fixture(scope="module")
def cars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "cars.mp4"
    with AvReader(VideoLimits()).open(clips.real(clips.CARS), field="video") as clip:
        return clips.written(path, [frame.pixels(640) for frame in clip.frames()], rate=25)


def test_what_is_found_is_shown_drawn_and_laid_out(
    shell: Shell, cars: Path, tmp_path: Path
) -> None:
    drawn, lanes = tmp_path / "drawn.mp4", tmp_path / "lanes.png"
    ended = shell.run(
        *("--as", "daily-herald", "video", cars, "--features", "labels,segments"),
        *("--draw", drawn, "--timeline", lanes),
    )
    assert ended.code == 0, ended.err
    assert "Car" in ended.out
    assert "00:00:00:00 - 00:00:01:13" in ended.out
    assert "of 38 frames looked at" in ended.out
    assert lanes.read_bytes().startswith(b"\x89PNG")
    reader = AvReader(VideoLimits())
    with reader.open(drawn, field="video") as clip, reader.open(cars, field="video") as plain:
        assert clip.info.codec == "h264"
        frames, before = list(clip.frames()), list(plain.frames())
    assert len(frames) == 38
    changed = abs(frames[20].pixels(640).astype(int) - before[20].pixels(640)).max(axis=2) > 60
    assert 200 < changed.sum() < changed.size / 4, "frames and captions, and little else"


def test_programs_get_lines(shell: Shell, cars: Path) -> None:
    ended = shell.run("--as", "daily-herald", "--json", "video", cars, "--features", "segments")
    operation, *found = ended.lines
    assert operation["done"]
    assert operation["name"].startswith("operations/")
    assert [one["name"] for one in found] == ["SHOT"]
    assert found[0]["segment"]["end_timecode"] == "00:00:01:13"


def test_wrong_arguments(shell: Shell, tmp_path: Path) -> None:
    common = ("--as", "daily-herald", "video")
    assert "none of labels" in shell.run(*common, "x.mp4", "--features", "dogs").err
    assert "no such file" in shell.run(*common, tmp_path / "none.mp4").err
    (tmp_path / "v.mp4").write_text("#EXTM3U")
    ended = shell.run(*common, tmp_path / "v.mp4")
    assert ended.code == 2
    assert "MP4, MOV" in " ".join(ended.err.split())
