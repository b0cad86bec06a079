"""Video files: what is read, how exactly, and what is refused with which reason."""

import re
import resource
import struct
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from beholden.core.errors import FailedPrecondition, InvalidArgument
from beholden.core.faces import Pixels
from beholden.core.video import SECOND, VideoLimits
from beholden.media.pyav import AvClip, AvReader
from tests import clips

FRAMES = [clips.noise(number // 10) for number in range(40)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.written(tmp_path_factory.mktemp("media") / "film.mp4", FRAMES)


def refusal(path: Path, **limits: float) -> str:
    """Why the video is refused, at once or while it is read."""
    reader = AvReader(VideoLimits(**limits))  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument) as caught, reader.open(path, field="video") as clip:  # noqa: PT012
        for frame in clip.frames():
            frame.glance()
    assert caught.value.reason == "INVALID_VIDEO"
    assert caught.value.field == "video"
    return caught.value.problem


def difference(one: Pixels, other: Pixels) -> float:
    return float(np.abs(one.astype(int) - other).mean())


def test_every_frame_is_read_in_order(film: Path) -> None:
    with AvReader(VideoLimits()).open(film, field="video") as clip:
        info = clip.info
        assert (info.codec, info.width, info.height, info.rate) == ("h264", 192, 108, 10)
        assert abs(info.duration_us - 4 * SECOND) <= SECOND // 10
        seen = list(clip.frames())
    assert [frame.index for frame in seen] == list(range(40))
    assert [frame.time_us for frame in seen] == [number * 100_000 for number in range(40)]
    assert difference(seen[25].pixels(4096), FRAMES[25]) < 4
    assert seen[25].pixels(96).shape == (54, 96, 3)
    glance = seen[25].glance()
    assert glance.shape == (54, 96, 3)
    assert difference(glance, seen[25].pixels(96)) < 6


def test_a_clip_may_be_closed_while_another_thread_reads_it(film: Path) -> None:
    def read(clip: AvClip) -> None:
        while True:
            for _ in clip.frames():
                pass

    for pause in (0.001, 0.01, 0.03):
        with ThreadPoolExecutor(1) as thread:
            with AvReader(VideoLimits()).open(film, field="video") as clip:
                reading = thread.submit(read, clip)
                time.sleep(pause)
            with pytest.raises(FailedPrecondition, match="closed"):
                reading.result()


def test_reading_goes_on_from_a_time(film: Path) -> None:
    with AvReader(VideoLimits()).open(film, field="video") as clip:
        first = next(iter(clip.frames(1_700_000, 17)))
        assert (first.index, first.time_us) == (17, 1_700_000)
        assert difference(first.pixels(4096), FRAMES[17]) < 4
        assert next(iter(clip.frames())).time_us == 0


def encoded(
    path: Path,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    times: Iterable[int] = range(0, 1000, 100),
    size: tuple[int, int] = (192, 108),
) -> Path:
    """A video of one picture, shown at `times` in milliseconds."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.codec_context.time_base = Fraction(1, 1000)
        picture = clips.noise(7, size)
        for time in times:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def test_ten_bits_and_other_containers(tmp_path: Path) -> None:
    for path in (
        encoded(tmp_path / "ten.mp4", "libx265", "yuv420p10le"),
        encoded(tmp_path / "v.webm", "libvpx-vp9"),
        encoded(tmp_path / "v.mkv"),
        encoded(tmp_path / "v.ts"),
    ):
        with AvReader(VideoLimits()).open(path, field="video") as clip:
            seen = list(clip.frames())
        assert len(seen) == 10, path
        assert difference(seen[5].glance(), clips.noise(7, (96, 54))) < 8, path


def test_frames_keep_the_times_that_they_have(tmp_path: Path) -> None:
    times = [0, 40, 440, 450, 900, 3000]
    path = encoded(tmp_path / "v.mkv", times=times)
    with AvReader(VideoLimits()).open(path, field="video") as clip:
        assert [frame.time_us for frame in clip.frames()] == [1000 * one for one in times]
        assert next(iter(clip.frames(450_000, 3))).time_us == 450_000


def test_a_turned_video_is_upright(tmp_path: Path, film: Path) -> None:
    # The display matrix of the track header, turned by a quarter as phones write it.
    matrix = np.array([65536, 0, 0, 0, 65536, 0, 0, 0, 2**30], ">i4").tobytes()
    turned = np.array([0, 65536, 0, -65536, 0, 0, 0, 0, 2**30], ">i4").tobytes()
    content = film.read_bytes()
    place = content.index(matrix, content.index(b"tkhd"))
    path = tmp_path / "turned.mp4"
    path.write_bytes(content[:place] + turned + content[place + len(matrix) :])
    with AvReader(VideoLimits()).open(path, field="video") as clip:
        assert (clip.info.width, clip.info.height, clip.info.rotation) == (108, 192, 90)
        first = next(iter(clip.frames()))
        assert difference(first.pixels(4096), np.rot90(FRAMES[0], -1)) < 4
        assert first.glance().shape == (96, 54, 3)


def test_what_is_no_video(tmp_path: Path, film: Path) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(b"")
    assert "is empty" in refusal(path)
    path.write_bytes(b"GIF89a" * 100)
    assert "must be an MP4" in refusal(path)
    path.write_bytes(film.read_bytes()[:40])
    assert "cut short" in refusal(path)
    assert "cannot be opened" in refusal(tmp_path / "none.mp4")


def test_playlists_are_never_followed(tmp_path: Path, film: Path) -> None:
    path = tmp_path / "v.mp4"
    for listed in (
        f"#EXTM3U\n#EXTINF:4,\n{film}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile {film}\n",
        f'<?xml version="1.0"?><MPD><BaseURL>{film}</BaseURL></MPD>',
    ):
        path.write_text(listed)
        assert "must be an MP4" in refusal(path)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=16000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        sound.sample_rate = 16000
        file.mux(stream.encode(sound))
        file.mux(stream.encode())
    assert "has no video" in refusal(path)


def test_what_is_too_much(tmp_path: Path, film: Path) -> None:
    assert "at most 1,000 are accepted" in refusal(film, max_bytes=1000)
    assert "192 x 108" in refusal(film, max_pixels=10_000)
    assert "hours" in refusal(film, max_hours=0.001)
    assert "frames a second" in refusal(film, max_rate=5)
    # A container that does not tell its length is bounded while it is read.
    endless = encoded(tmp_path / "v.ts", times=range(0, 4000, 100))
    assert "hours" in refusal(endless, max_hours=0.0005)


def test_a_video_that_breaks_off_says_where(tmp_path: Path, film: Path) -> None:
    assert "at 2.7 s" in refusal(clips.real(clips.DAMAGED))
    path = encoded(tmp_path / "v.mkv", times=range(0, 20_000, 100))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "cut short" in refusal(path)


def test_six_hours_are_read_and_seven_refused_by_what_the_header_says(tmp_path: Path) -> None:
    """Seven frames, an hour or more apart: nothing is decoded to find out."""
    hour = 3600 * 1000
    path = encoded(tmp_path / "v.mp4", times=range(0, 7 * hour + 1, 7 * hour // 6))
    with pytest.raises(InvalidArgument) as caught, AvReader(VideoLimits()).open(path, field="v"):
        pass
    assert "hours; at most 6 are read" in caught.value.problem
    path = encoded(tmp_path / "w.mp4", times=range(0, 6 * hour, hour - 10))
    with AvReader(VideoLimits()).open(path, field="v") as clip:
        assert [frame.time_us for frame in clip.frames()][-1] == 6 * (hour - 10) * 1000


def test_a_picture_that_grows_in_the_middle_is_not_decoded(tmp_path: Path) -> None:
    """The first frame is small, the third says of itself that it has four thousand million pixels."""
    path = encoded(tmp_path / "v.mkv", "mjpeg", "yuvj420p", range(0, 500, 100), (64, 48))
    content = bytearray(path.read_bytes())
    third = [match.start() for match in re.finditer(b"\xff\xc0\x00\x11", bytes(content))][2]
    struct.pack_into(">HH", content, third + 5, 65500, 65500)
    path.write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "damaged" in refusal(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000, "KiB"


def test_a_container_is_told_by_its_content(tmp_path: Path, film: Path) -> None:
    misnamed = tmp_path / "v.avi"
    misnamed.write_bytes(film.read_bytes())
    with AvReader(VideoLimits()).open(misnamed, field="video") as clip:
        assert len(list(clip.frames())) == 40
    for number, head in enumerate((b"\x1a\x45\xdf\xa3", b"RIFF\0\0\0\0AVI ", b"\0\0\0\x20ftyp")):
        liar = tmp_path / f"{number}.mp4"
        liar.write_bytes(head + film.read_bytes()[12:])
        assert refusal(liar)


def test_a_movie_whose_pictures_lie_in_another_file_is_refused(tmp_path: Path, film: Path) -> None:
    """A data reference as QuickTime has it: where it were followed, its frames would be there."""
    content = film.read_bytes()
    own = struct.pack(">I4sI", 12, b"url ", 1)
    place = content.index(own)
    name = film.name.encode() + b"\0"
    away = struct.pack(">I4sI", 12 + len(name), b"url ", 0) + name
    grown = bytearray(content[:place] + away + content[place + 12 :])
    for kind in (b"dref", b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        at = grown.rindex(kind, 0, place) - 4
        (size,) = struct.unpack_from(">I", grown, at)
        struct.pack_into(">I", grown, at, size + len(name))
    # Its own pictures are gone: what is shown could only come out of the other file.
    data = grown.index(b"mdat") + 4
    (size,) = struct.unpack_from(">I", grown, data - 8)
    grown[data : data + size - 8] = bytes(size - 8)
    path = film.with_name("away.mov")
    path.write_bytes(grown)
    try:
        assert refusal(path)
    finally:
        path.unlink()
