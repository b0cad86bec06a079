"""`beholden video`, as a person types it."""

import signal
import subprocess
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.longrunning import operations_grpc_pb2, operations_pb2
from google.rpc import code_pb2

from beholden.core.video import VideoLimits
from beholden.media.pyav import AvReader
from beholden.v1 import video_pb2
from tests import clips
from tests.e2e.conftest import Shell, command
from tests.house import headers


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


@pytest.mark.thorough
def test_blurred_faces_are_found_no_more(shell: Shell, tmp_path: Path) -> None:
    street, hidden = tmp_path / "street.mp4", tmp_path / "hidden.mp4"
    reader = AvReader(VideoLimits())
    with reader.open(clips.real(clips.FACES), field="video") as clip:
        frames = [frame.pixels(960) for frame in clip.frames() if frame.index % 3 == 0]
    clips.written(street, frames, rate=8)
    common = ("--as", "daily-herald", "--json", "video")
    ended = shell.run(*common, street, "--features", "faces", "--blur-faces", hidden)
    assert ended.code == 0, ended.err
    faces = [one for one in ended.lines[1:] if one["name"] == "Face"]
    assert len(faces) >= 3
    with reader.open(street, field="video") as clip, reader.open(hidden, field="video") as safe:
        assert safe.info.duration_us == clip.info.duration_us
        times = [frame.time_us for frame in clip.frames()]
        assert [frame.time_us for frame in safe.frames()] == times
    again = shell.run(*common, hidden, "--features", "faces")
    left = [one for one in again.lines[1:] if one["name"] == "Face"]
    assert not left, left


def test_wrong_arguments(shell: Shell, tmp_path: Path) -> None:
    common = ("--as", "daily-herald", "video")
    assert "none of labels" in shell.run(*common, "x.mp4", "--features", "dogs").err
    assert "no such file" in shell.run(*common, tmp_path / "none.mp4").err
    (tmp_path / "v.mp4").write_text("#EXTM3U")
    ended = shell.run(*common, tmp_path / "v.mp4")
    assert ended.code == 2
    assert "MP4, MOV" in " ".join(ended.err.split())


def test_nothing_is_written_where_the_law_refuses_a_feature(
    shell: Shell, cars: Path, tmp_path: Path
) -> None:
    hidden = tmp_path / "hidden.mp4"
    ended = shell.run(
        *("--as", "metro-police", "--purpose", "criminal_investigation", "video", cars),
        *("--features", "segments,face-search", "--collection", "any", "--blur-faces", hidden),
    )
    assert ended.code == 3, ended.err
    assert "FACE_SEARCH: " in ended.err
    assert not hidden.exists()


def operations(shell: Shell) -> dict[str, Any]:
    """Every operation of the newsroom, by name."""
    with grpc.insecure_channel(shell.address) as channel:
        key_file = Path(shell.env["BEHOLDEN_GUARD__IDENTITY__KEY_FILE"])
        answer = operations_grpc_pb2.OperationsStub(channel).ListOperations(
            operations_pb2.ListOperationsRequest(name="operations"),
            metadata=headers(key_file, "daily-herald", "editorial_research"),
        )
    return {one.name: one for one in answer.operations}


@pytest.mark.thorough
def test_ctrl_c_cancels_it_on_the_server_too(shell: Shell) -> None:
    before = operations(shell).keys()
    with subprocess.Popen(
        command("--as", "daily-herald", "video", clips.real(clips.WALKERS)),
        env=dict(shell.env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell that runs the tests in the background has Ctrl-C ignored, and so would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as analysing:
        told = video_pb2.AnalyzeVideoMetadata()
        while not told.progress:
            assert analysing.poll() is None, analysing.communicate()
            now = operations(shell)
            for name in now.keys() - before:
                begun = now[name].name
                now[name].metadata.Unpack(told)
        analysing.send_signal(signal.SIGINT)
        out, err = analysing.communicate(timeout=60)
    assert analysing.returncode == 130, err
    assert not out
    assert b"Traceback" not in err
    over = operations(shell)[begun]
    assert over.done
    assert over.error.code == code_pb2.CANCELLED
