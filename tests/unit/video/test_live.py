"""The parts of a live analysis: what waits, what changes, who is searched, what is decoded as it comes."""

from __future__ import annotations

import asyncio
import io
from fractions import Fraction
from threading import Thread
from typing import Any

import av
import numpy as np
import pytest

from beholden.core.errors import InvalidArgument
from beholden.core.jobs import Annotation
from beholden.core.video import SECOND, VideoLimits
from beholden.media.streams import AvStreams
from beholden.video.changes import Change, Changes
from beholden.video.decoding import Decoder, Pipe
from beholden.video.inbox import Dropped, Inbox
from beholden.video.stills import StillFrame
from tests import clips, pictures


class Frame:
    """Nothing but a time."""

    def __init__(self, time_us: int) -> None:
        self.time_us = time_us


def inbox(**options: Any) -> Inbox:
    return Inbox(**{"frames": 4, "size": 1000, "seconds": 2.0, **options})


def times(taken: Any) -> list[int]:
    return [frame.time_us for frame in taken.frames]


async def test_old_frames_give_way_however_many_come() -> None:
    box = inbox()
    for number in range(50_000):
        assert box.put(Frame(number), 1)  # type: ignore[arg-type]
    taken = await box.take(3)
    assert taken is not None
    assert times(taken) == [49_996, 49_997, 49_998]
    assert taken.dropped == Dropped(49_996, 0, 49_995)
    after = await box.take(3)
    assert after is not None
    assert (times(after), after.dropped) == ([49_999], None)


async def test_large_frames_give_way_but_for_the_newest() -> None:
    box = inbox()
    for number, size in enumerate((400, 400, 400, 5000)):
        box.put(Frame(number), size)  # type: ignore[arg-type]
    taken = await box.take(4)
    assert taken is not None
    assert times(taken) == [3]
    assert taken.dropped == Dropped(3, 0, 2)


async def test_frames_that_waited_too_long_give_way() -> None:
    now = [0.0]
    box = inbox(clock=lambda: now[0])
    for number in range(3):
        box.put(Frame(number), 1)  # type: ignore[arg-type]
        now[0] += 1.5
    taken = await box.take(4)
    assert taken is not None
    assert times(taken) == [2], "2.9 s, and 1.4 s"
    now[0] += 60
    box.put(Frame(9), 1)  # type: ignore[arg-type]
    now[0] += 60
    taken = await box.take(4)
    assert taken is not None
    assert times(taken) == [9], "the newest never does"


async def test_an_inbox_ends_with_its_frames_or_with_an_error() -> None:
    box = inbox()
    taking = asyncio.ensure_future(box.take(1))
    await asyncio.sleep(0)
    Thread(target=lambda: (box.put(Frame(1), 1), box.end())).start()  # type: ignore[arg-type]
    taken = await taking
    assert taken is not None
    assert await box.take(1) is None
    assert not box.put(Frame(2), 1)  # type: ignore[arg-type]
    broken = inbox()
    broken.put(Frame(1), 1)  # type: ignore[arg-type]
    broken.end(InvalidArgument("frame", "is wrong"))
    with pytest.raises(InvalidArgument):
        await broken.take(1)


def seen(start_us: int, *, name: str = "Car", track: int = 1, span: bool = False) -> Annotation:
    return Annotation("LABELS", name, start_us, start_us + 1, 0.9, span=span, track=track)


def test_changes() -> None:
    changes = Changes()

    def told(*found: Annotation) -> list[tuple[str, int]]:
        return [(event.change.name, event.about.track) for event in changes.of(found)]

    assert told(seen(0), seen(0, track=2)) == [("APPEARED", 1), ("APPEARED", 2)]
    assert told(seen(SECOND // 2)) == [], "once a second is enough"
    assert told(seen(SECOND)) == [("PRESENT", 1)]
    assert told(seen(0, span=True)) == [("GONE", 1)]
    assert told(seen(3 * SECOND)) == [("APPEARED", 1)], "it is there again"
    activity = Annotation("ACTIVITIES", "Walking", 0, SECOND, 1.0, span=True, track=2)
    assert told(activity) == [("GONE", 2)]
    like = Annotation("FACE_SEARCH", "Face", 0, 0, 1.0, track=7)
    assert [event.change for event in changes.of([like, like])] == [Change.RECOGNISED] * 2


async def test_a_pipe_holds_back_whoever_writes_too_much() -> None:
    pipe = Pipe(10)
    await pipe.write(b"0123456789")
    writing = asyncio.ensure_future(pipe.write(b"abc"))
    await asyncio.sleep(0)
    assert not writing.done()
    assert await asyncio.to_thread(pipe.read, 4) == b"0123"
    await writing
    pipe.close()
    assert (pipe.read(), pipe.read(), pipe.read()) == (b"456789", b"abc", b"")


def encoded(form: str, frames: int = 12, size: tuple[int, int] = (192, 108)) -> bytes:
    """A stream of ten frames a second."""
    out = io.BytesIO()
    with av.open(out, "w", format=form) as file:
        stream = file.add_stream("libx264", rate=10, options={"tune": "zerolatency", "g": "4"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(clips.noise(number // 4, size), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return out.getvalue()


@pytest.mark.parametrize("form", ["mpegts", "matroska", "h264"])
def test_streams_are_decoded_as_they_come(form: str) -> None:
    content = encoded(form)
    found = list(AvStreams(VideoLimits()).frames(io.BytesIO(content), field="chunk"))
    assert len(found) == 12
    offsets = [frame.time_us for frame in found]
    assert offsets[0] == 0
    assert offsets == sorted(set(offsets))
    if form != "h264":
        assert offsets[-1] == 1_100_000
    assert found[0].size == (192, 108)
    assert np.abs(found[5].pixels(192).astype(int) - clips.noise(1)).mean() < 6


def test_what_is_damaged_in_between_is_left_out() -> None:
    content = bytearray(encoded("mpegts", frames=40))
    content[len(content) // 2 : len(content) // 2 + 3000] = bytes(3000)
    found = list(AvStreams(VideoLimits()).frames(io.BytesIO(bytes(content)), field="chunk"))
    assert 20 < len(found) <= 40
    assert found[-1].time_us == 3_900_000


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"#EXTM3U\nhttp://127.0.0.1/x.ts\n", "must be MPEG-TS"),
        (b"\x00\x00\x00\x18ftypisom" + bytes(600), "must be MPEG-TS"),
        (b"\x1a\x45\xdf\xa3" + bytes(1000), "is no matroska"),
        (b"\0\0\0\1" + bytes(2000), "is no h264"),
    ],
)
def test_what_is_no_stream(content: bytes, problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem) as caught:
        list(AvStreams(VideoLimits()).frames(io.BytesIO(content), field="chunk.content"))
    assert caught.value.field == "chunk.content"


def test_sound_alone_is_no_stream() -> None:
    out = io.BytesIO()
    with av.open(out, "w", format="mpegts") as file:
        stream = file.add_stream("aac", rate=16000)
        for number in range(8):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            sound.sample_rate, sound.pts = 16000, number * 1024
            file.mux(stream.encode(sound))
        file.mux(stream.encode())
    with pytest.raises(InvalidArgument, match="has no video"):
        list(AvStreams(VideoLimits()).frames(io.BytesIO(out.getvalue()), field="chunk"))


def test_a_stream_of_frames_that_are_too_large() -> None:
    streams = AvStreams(VideoLimits(max_pixels=10_000))
    with pytest.raises(InvalidArgument, match="192 x 108"):
        list(streams.frames(io.BytesIO(encoded("mpegts")), field="chunk"))


async def test_a_decoder_is_stopped_while_it_waits_for_more() -> None:
    box = inbox(frames=100, size=10**9)
    decoder = Decoder(AvStreams(VideoLimits()), box, size=2**20)
    content = encoded("mpegts")
    for place in range(0, len(content), 1000):
        await decoder.write(content[place : place + 1000])
    decoder.close()
    taken = [await box.take(100)]
    while taken[-1] is not None:
        taken.append(await box.take(100))
    assert sum(len(one.frames) for one in taken if one) == 12
    stuck = Decoder(AvStreams(VideoLimits()), inbox(), size=2**20)
    await stuck.write(content[:300])
    await stuck.stop()


def test_a_still_frame() -> None:
    frame = StillFrame(pictures.encode(clips.noise(3)), 7, 0, side=96, field="frame")
    assert frame.size == (192, 108)
    assert frame.glance().shape == frame.pixels(400).shape == (54, 96, 3)
    turned = pictures.encode(clips.noise(3), "JPEG", orientation=6)
    assert StillFrame(turned, 7, 0, side=96, field="frame").size == (108, 192)
    bad = StillFrame(b"no picture", 7, 0, side=96, field="frame")
    with pytest.raises(InvalidArgument):
        bad.glance()
