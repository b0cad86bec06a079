"""`beholden watch`, as a person types it: a file, a pipe, a camera that goes away and comes back."""

import io
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest import mock

import av
import pytest

from beholden.cli.footage import Footage
from beholden.core.video import VideoLimits
from beholden.media.pyav import AvReader
from tests import clips, pictures
from tests.e2e.conftest import Shell, command

HERALD = ("--as", "daily-herald")
RTSP = Path(__file__).parents[1] / "rtsp"


def encoded(form: str) -> bytes:
    """The highway, 38 frames, ten a second."""
    out = io.BytesIO()
    options = {"tune": "zerolatency", "g": "10", "threads": "1", "slices": "1"}
    with (
        AvReader(VideoLimits()).open(clips.real(clips.CARS), field="video") as clip,
        av.open(out, "w", format=form) as file,
    ):
        stream = file.add_stream("libx264", rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for frame in clip.frames():
            picture = av.VideoFrame.from_ndarray(frame.pixels(640), format="rgb24")
            picture.pts, picture.time_base = frame.index, Fraction(1, 10)
            file.mux(stream.encode(picture))
        file.mux(stream.encode())
    return out.getvalue()


@pytest.fixture(scope="module")
def cars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("watch") / "cars.ts"
    path.write_bytes(encoded("mpegts"))
    return path


def appeared(lines: Sequence[Any]) -> list[int]:
    """The numbers of the cars that came, in this order."""
    return [
        line["event"]["annotation"]["track_id"]
        for line in lines
        if "event" in line
        and line["event"]["change"] == "STREAM_CHANGE_APPEARED"
        and line["event"]["annotation"]["name"] == "Car"
    ]


@pytest.mark.thorough
def test_a_pipe_for_programs(shell: Shell, cars: Path) -> None:
    with cars.open() as opened, mock.patch.object(sys, "stdin", opened):
        ended = shell.run(
            *(*HERALD, "watch", "-", "--features", "labels", "--latency", "30", "--json")
        )
    assert ended.code == 0, ended.err
    first, *lines, last = ended.lines
    assert first["started"]["features"] == ["VIDEO_FEATURE_LABELS"]
    assert {1, 2} <= set(appeared(lines))
    changes = {line["event"]["change"] for line in lines if "event" in line}
    assert changes >= {"STREAM_CHANGE_PRESENT", "STREAM_CHANGE_GONE"}
    summary = last["summary"]
    assert summary["appeared"]["Car"] == len(appeared(lines))
    assert summary["sent"] == 19, "five a second of ten, over 3.8 s"
    assert not summary["interrupted"]


def test_a_file_for_people(shell: Shell, cars: Path) -> None:
    ended = shell.run(
        *HERALD, "watch", cars, "--features", "labels", "--seconds", "1.1", "--private"
    )
    assert ended.code == 0, ended.err
    assert re.search(r"0:0\d\.\d +appeared +labels +Car 1 +0\.\d\d", ended.out), ended.out
    assert re.search(r"0:0\d\.\d +gone +labels +Car 1 +after", ended.out)
    assert re.search(r"\d Car.* in 0:01\.\d of cars\.ts .*6 pictures sent", ended.out)


def test_asked_wrongly_and_refused(shell: Shell, cars: Path, tmp_path: Path) -> None:
    def watch(*more: str | Path, tenant: str = "daily-herald", code: int = 2) -> str:
        ended = shell.run("--as", tenant, "watch", *more)
        assert ended.code == code, ended.err
        return " ".join(re.sub("[│╭╰─╮╯]", " ", ended.err).split())

    assert "http:// is not read" in watch("http://camera.local/live.m3u8")
    assert "cannot be opened" in watch(tmp_path / "none.mp4")
    assert "none of labels" in watch(cars, "--features", "dogs")
    for stored in ("segments", "redaction"):
        assert "stored video" in watch(cars, "--features", stored)
    assert "rtsp://127.0.0.1:9/gate: camera" in watch("rtsp://ada:secret@127.0.0.1:9/gate", code=5)
    (tmp_path / "list.mp4").write_text(f"#EXTM3U\n{cars}\n")
    assert "must be an MP4" in watch(tmp_path / "list.mp4")
    police = ("--purpose", "criminal_investigation", "--collection", "any")
    refused = watch(*(cars, "--features", "face-search", *police), tenant="metro-police", code=3)
    assert "Refused by policy" in refused


def test_a_camera_is_named_without_its_password() -> None:
    options: Any = {"rate": 1, "side": 96, "seconds": None, "stop": None}
    named = Footage("rtsp://admin:secret@camera.local:554/gate?x=1", **options).name
    assert named == "rtsp://camera.local:554/gate?x=1"


@pytest.mark.thorough
def test_ctrl_c_sums_up(shell: Shell, cars: Path) -> None:
    line = command(*HERALD, "watch", cars, "--features", "labels", "--json")
    with subprocess.Popen(line, env=dict(shell.env), stdout=subprocess.PIPE) as watching:
        assert watching.stdout is not None
        assert "started" in json.loads(watching.stdout.readline())
        assert "event" in json.loads(watching.stdout.readline())
        watching.send_signal(signal.SIGINT)
        rest = [json.loads(text) for text in watching.stdout]
        assert watching.wait(60) == 130
    assert rest[-1]["summary"]["interrupted"]
    assert 0 < rest[-1]["summary"]["sent"] < 19


@contextmanager
def camera(binary: Path, place: str, film: Path) -> Iterator[str]:
    """A real RTSP server; its address."""
    with subprocess.Popen([binary, place, film], stdout=subprocess.PIPE) as serving:
        assert serving.stdout is not None
        try:
            yield serving.stdout.readline().decode().strip()
        finally:
            serving.kill()


@pytest.mark.thorough
@pytest.mark.timeout(600)  # Go builds the server first
def test_a_camera_that_goes_away_and_comes_back(shell: Shell, tmp_path: Path) -> None:
    go = shutil.which("go")
    if go is None:
        pictures.missing("no Go to build an RTSP server with")
    binary, film = tmp_path / "rtsp", tmp_path / "cars.h264"
    built = subprocess.run(
        [str(go), "build", "-o", binary, "."], cwd=RTSP, capture_output=True, check=False
    )
    if built.returncode:
        pictures.missing(f"no RTSP server can be built: {built.stderr.decode()[-300:]}")
    film.write_bytes(encoded("h264"))
    with camera(binary, "127.0.0.1:0", film) as place:
        line = command(
            *(*HERALD, "watch", f"rtsp://ada:secret@{place}/gate", "--features", "labels"),
            *("--private", "--json"),
        )
        watching = subprocess.Popen(
            line, env=dict(shell.env), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert watching.stdout is not None
        lines: list[Any] = []

        def until_a_car_in_stream(number: int) -> None:
            streams = sum("started" in line for line in lines)
            for text in watching.stdout or ():
                lines.append(json.loads(text))
                streams += "started" in lines[-1]
                if streams == number and appeared(lines[-1:]):
                    return
            raise AssertionError(watching.stderr.read() if watching.stderr else "")

        until_a_car_in_stream(1)
    with camera(binary, place, film):
        until_a_car_in_stream(2)
        watching.send_signal(signal.SIGINT)
        out, err = watching.communicate(timeout=60)
    lines += [json.loads(text) for text in out.splitlines()]
    assert watching.returncode == 130, err
    assert any("lost" in line for line in lines)
    assert b"secret" not in out + err
