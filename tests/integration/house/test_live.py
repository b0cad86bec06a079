"""A live stream over the wire: what comes, who it is, what goes, what is left out, what is refused."""

from __future__ import annotations

import io
import itertools
import struct
import uuid
import zlib
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from typing import Any

import av
import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from PIL import Image, ImageDraw, ImageFont

from beholden.v1 import collection_pb2, image_pb2, search_pb2, search_pb2_grpc, video_pb2
from beholden.v1 import video_pb2_grpc as video_grpc
from tests import clips, pictures
from tests.house import House

Request = video_pb2.AnalyzeStreamRequest


class Camera:
    """One stream, and what was answered so far."""

    def __init__(self, stub: Any, metadata: Any, start: Any) -> None:
        self._sent: SimpleQueue[Any] = SimpleQueue()
        self._call = stub.AnalyzeStream(iter(self._sent.get, None), metadata=metadata, timeout=60)
        self.seconds = 0.0
        if start is not None:
            self.send(start=start)

    def send(self, **message: Any) -> None:
        self._sent.put(Request(**message))

    def show(self, content: bytes, after: float = 0.25) -> None:
        """A frame, so many seconds after the one before."""
        self.seconds += after
        offset = Duration()
        offset.FromMicroseconds(round(self.seconds * 1e6))
        frame = video_pb2.StreamFrame(offset=offset, content=content)
        self.send(part=video_pb2.StreamPart(frame=frame))

    def end(self) -> None:
        self._sent.put(None)

    def answer(self) -> Any:
        return next(self._call)

    def rest(self) -> list[Any]:
        self.end()
        return list(self._call)

    def until(self, change: str, feature: str) -> Any:
        """The first such event that is told from now on."""
        for answer in self._call:
            for event in answer.events:
                if event.change == video_pb2.StreamChange.Value(
                    f"STREAM_CHANGE_{change}"
                ) and event.annotation.feature == feature_number(feature):
                    return event.annotation
        raise AssertionError(f"{change} of {feature} was not told")

    def refused(self, code: grpc.StatusCode) -> str:
        with pytest.raises(grpc.RpcError) as caught:
            self.rest()
        assert caught.value.code() is code, caught.value
        return str(caught.value.details())


def feature_number(name: str) -> int:
    return video_pb2.VideoFeature.Value(f"VIDEO_FEATURE_{name}")


Open = Callable[..., Camera]


@pytest.fixture(scope="module")
def channel(house: House) -> Iterator[grpc.Channel]:
    with house.channel() as opened:
        yield opened


@pytest.fixture(scope="module")
def newsroom(house: House) -> Any:
    return house.headers("daily-herald", "editorial_research")


@pytest.fixture
def camera(channel: grpc.Channel, newsroom: Any) -> Open:
    stub = video_grpc.VideoServiceStub(channel)

    def opened(*features: str, who: Any = None, **start: Any) -> Camera:
        asked = video_pb2.StreamStart(
            features=[f"VIDEO_FEATURE_{one}" for one in features], **start
        )
        return Camera(stub, who or newsroom, asked if features else None)

    return opened


@pytest.fixture(scope="module")
def collins() -> bytes:
    return pictures.encode(pictures.pixels("astronaut")[:300], "JPEG", quality=92)


@pytest.fixture(scope="module")
def nobody() -> bytes:
    return pictures.encode(clips.noise(5, (512, 300)), "JPEG")


def named(events: Sequence[Any]) -> list[tuple[str, str]]:
    return [
        (
            video_pb2.StreamChange.Name(one.change).removeprefix("STREAM_CHANGE_"),
            video_pb2.VideoFeature.Name(one.annotation.feature).removeprefix("VIDEO_FEATURE_"),
        )
        for one in events
    ]


def test_somebody_comes_is_enrolled_meanwhile_and_goes(
    channel: grpc.Channel, camera: Open, newsroom: Any, collins: bytes, nobody: bytes
) -> None:
    search = search_pb2_grpc.SearchServiceStub(channel)
    made = search.CreateCollection(
        search_pb2.CreateCollectionRequest(collection_id=uuid.uuid4().hex), metadata=newsroom
    )
    gate = camera("FACES", "FACE_SEARCH", collection=made.collection.name)
    first = gate.answer()
    assert list(first.features) == [feature_number("FACES"), feature_number("FACE_SEARCH")]
    assert {"centerface", "dlib_resnet_v1"} == {model.name for model in first.models}
    for _ in range(5):
        gate.show(collins)
    came = gate.until("APPEARED", "FACES")
    assert came.track_id == 1
    assert came.start_offset.ToMicroseconds() == 250_000, "the first frame, once it is sure"
    assert came.bounding_box.x_max > came.bounding_box.x_min > 0

    search.IndexFaces(
        search_pb2.IndexFacesRequest(
            parent=made.collection.name,
            image=image_pb2.Image(content=collins),
            external_image_id="collins",
            provenance=collection_pb2.Provenance(source="NASA", legal_basis="public domain"),
        ),
        metadata=newsroom,
    )
    enrolled = gate.seconds
    for _ in range(4):
        gate.show(collins)
    known = gate.until("RECOGNISED", "FACE_SEARCH")
    assert known.track_id == 1
    assert known.start_offset.ToMicroseconds() <= (enrolled + 1) * 1e6
    assert [one.face.external_image_id for one in known.candidates] == ["collins"]
    assert known.candidates[0].similarity > 0.99
    assert known.picture.startswith(b"\xff\xd8")

    for _ in range(4):
        gate.show(collins)
    gate.show(nobody)
    left = gate.seconds
    gate.show(nobody)
    after = [event for answer in gate.rest() for event in answer.events]
    assert ("RECOGNISED", "FACE_SEARCH") not in named(after), "told once"
    assert ("PRESENT", "FACES") in named(after)
    [gone] = [one.annotation for one in after if named([one]) == [("GONE", "FACES")]]
    assert gone.start_offset.ToMicroseconds() == 250_000
    assert gone.end_offset.ToMicroseconds() == left * 1e6, "half-open: until the cut"
    assert gone.picture.startswith(b"\xff\xd8")


def test_cars_in_an_encoded_stream(camera: Open) -> None:
    road = camera("LABELS", max_latency=Duration(seconds=30))
    out = io.BytesIO()
    with av.open(str(clips.real(clips.CARS))) as file, av.open(out, "w", format="mpegts") as made:
        stream = made.add_stream_from_template(file.streams.video[0])
        for packet in file.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    content = out.getvalue()
    for place in range(0, len(content), 100_000):
        road.send(part={"chunk": {"content": content[place : place + 100_000]}})
    events = [event for answer in road.rest() for event in answer.events]
    cars = [one for one in events if one.annotation.name == "Car"]
    for change in ("APPEARED", "GONE"):
        told = [one.annotation.track_id for one in cars if named([one])[0][0] == change]
        assert sorted(told) == [1, 2], "two cars, each once"


def test_what_is_written_and_what_may_be_unsafe(
    camera: Open, collins: bytes, nobody: bytes
) -> None:
    sign = Image.new("RGB", (512, 300), "white")
    ImageDraw.Draw(sign).text((40, 120), "NO ENTRY", "black", ImageFont.load_default(64))
    gate = camera("TEXT", "MODERATION", min_confidence=0.03)
    for content in (nobody, pictures.encode(sign), collins):
        gate.show(content, after=1)
    events = [event for answer in gate.rest() for event in answer.events]
    written = [one for one in events if one.annotation.name == "NO ENTRY"]
    assert named(written) == [("APPEARED", "TEXT"), ("GONE", "TEXT")]
    assert [one.annotation.start_offset.ToSeconds() for one in written] == [2, 2]
    assert written[1].annotation.end_offset.ToSeconds() == 3
    unsafe = [one for one in events if ("APPEARED", "MODERATION") in named([one])]
    assert 3 in {one.annotation.start_offset.ToSeconds() for one in unsafe}


def test_one_feature_that_the_law_refuses_refuses_all(house: House, camera: Open) -> None:
    police = house.headers("metro-police", "criminal_investigation")
    gate = camera("FACES", "FACE_SEARCH", "LABELS", who=police, collection="collections/none")
    problem = gate.refused(grpc.StatusCode.PERMISSION_DENIED)
    assert problem.startswith("FACE_SEARCH: ")
    assert "criminal investigations" in problem
    assert "LABELS" not in problem
    gate = camera("FACES", "LABELS", who=police)
    assert [feature_number("FACES"), feature_number("LABELS")] == list(gate.answer().features)
    gate.end()


def test_frames_that_come_too_fast_give_way(camera: Open) -> None:
    burst = camera("FACES", max_latency=Duration(nanos=100_000_000))
    noise = [pictures.encode(clips.noise(seed, (640, 360)), "JPEG") for seed in range(4)]
    for number in range(400):
        burst.show(noise[number % 4], after=1)
    drops = [one for answer in burst.rest() for one in answer.dropped]
    assert {one.reason for one in drops} == {video_pb2.DROP_REASON_BEHIND}
    assert 200 < sum(one.count for one in drops) < 400
    for one, other in itertools.pairwise(drops):
        assert one.first_offset.ToSeconds() <= one.last_offset.ToSeconds()
        assert one.last_offset.ToSeconds() < other.first_offset.ToSeconds()


def huge() -> bytes:
    """A PNG that says it is 40,000 x 40,000, with a few bytes of it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        sum_ = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", sum_)

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(100_000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def test_frames_that_cannot_be_read_are_left_out_until_they_are_too_many(
    camera: Open, nobody: bytes
) -> None:
    gate = camera("FACES")
    for content in (nobody, b"garbage", huge(), nobody[:500], nobody):
        gate.show(content, after=1)
    drops = [one for answer in gate.rest() for one in answer.dropped]
    assert {one.reason for one in drops} == {video_pb2.DROP_REASON_UNREADABLE}
    assert sum(one.count for one in drops) == 3
    gate = camera("FACES")
    for _ in range(9):
        gate.show(b"garbage")
    gate.show(huge())
    problem = gate.refused(grpc.StatusCode.INVALID_ARGUMENT)
    assert "messages[10].part.frame.content" in problem
    assert "40000 x 40000" in problem


def test_what_is_asked_wrongly(camera: Open, nobody: bytes) -> None:
    def problem(
        *messages: dict[str, Any], features: Sequence[str] = ("FACES",), **start: Any
    ) -> str:
        gate = camera(*features, **start)
        for message in messages:
            gate.send(**message)
        return gate.refused(grpc.StatusCode.INVALID_ARGUMENT)

    def frame(content: bytes = nobody, **offset: int) -> dict[str, Any]:
        return {"part": {"frame": {"offset": Duration(**offset), "content": content}}}

    chunk = {"part": {"chunk": {"content": b"x"}}}
    assert "start" in problem(frame(), features=())
    assert "start.features" in problem(features=("SEGMENTS",))
    assert "start.features" in problem(features=("UNSPECIFIED",))
    assert "start.max_latency" in problem(max_latency=Duration(seconds=31))
    assert "messages[1].part.frame.content: is required" in problem(frame(b""))
    assert "messages[2].part.frame.offset" in problem(frame(seconds=2), frame(seconds=2))
    assert "messages[1].part.frame.offset" in problem(frame(seconds=-1))
    assert "messages[2].part.frame" in problem(chunk, frame())
    assert "messages[2].part.chunk" in problem(frame(), chunk)
    assert "MPEG-TS" in problem({"part": {"chunk": {"content": b"#EXTM3U" * 100}}})
    assert "messages[1]" in problem({})
    again = {"start": video_pb2.StreamStart(features=["VIDEO_FEATURE_FACES"])}
    assert "messages[1]" in problem(again)


def test_what_is_public_is_declared_in_one_voice(
    house: House, camera: Open, newsroom: Any, nobody: bytes
) -> None:
    private = [*newsroom, ("beholden-public-space", "no")]
    gate = camera("FACES", who=private, public_space=True)
    assert "start.public_space" in gate.refused(grpc.StatusCode.INVALID_ARGUMENT)
    gate = camera("FACES", who=private, public_space=False)
    gate.show(nobody)
    assert gate.rest()
