"""Stored video over the wire: begun, waited for, listed, refused, cancelled and deleted."""

import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from google.longrunning import operations_grpc_pb2, operations_pb2
from google.rpc import code_pb2
from PIL import Image, ImageDraw, ImageFont

from beholden.core.video import VideoLimits
from beholden.media.pyav import AvReader
from beholden.v1 import (
    collection_pb2,
    image_pb2,
    moderation_pb2,
    moderation_pb2_grpc,
    search_pb2,
    search_pb2_grpc,
    video_pb2,
)
from beholden.v1 import video_pb2_grpc as video_grpc
from tests import clips, pictures
from tests.house import House

NEWSROOM, POLICE = "daily-herald", "metro-police"


class Desk:
    """A caller's view of VideoService and its operations."""

    def __init__(self, house: House, channel: grpc.Channel) -> None:
        self._house = house
        self._video = video_grpc.VideoServiceStub(channel)
        self._operations = operations_grpc_pb2.OperationsStub(channel)
        self.moderation = moderation_pb2_grpc.ModerationServiceStub(channel)
        self.search = search_pb2_grpc.SearchServiceStub(channel)

    def headers(self, tenant: str = NEWSROOM, purpose: str = "editorial_research") -> Any:
        return self._house.headers(tenant, purpose)

    def begin(self, video: Any, *features: str, who: Any = None, **options: Any) -> Any:
        """Begins; `video` is a file's name or its bytes."""
        source = {"content": video} if isinstance(video, bytes) else {"file": video}
        request = video_pb2.AnalyzeVideoRequest(
            video=video_pb2.Video(**source),
            features=[f"VIDEO_FEATURE_{one}" for one in features],
            **options,
        )
        return self._video.AnalyzeVideo(request, metadata=who or self.headers())

    def done(self, operation: Any) -> Any:
        """The operation once it is over."""
        while not operation.done:
            operation = self.operation("Wait", operation.name)
        return operation

    def operation(self, method: str, name: str, **who: str) -> Any:
        request = getattr(operations_pb2, f"{method}OperationRequest")(name=name)
        return getattr(self._operations, f"{method}Operation")(
            request, metadata=self.headers(**who)
        )

    def operations(self, **who: str) -> Sequence[Any]:
        request = operations_pb2.ListOperationsRequest(name="operations", page_size=1000)
        return self._operations.ListOperations(request, metadata=self.headers(**who)).operations

    def listed(self, operation: Any, who: Any = None, **options: Any) -> Any:
        request = video_pb2.ListVideoAnnotationsRequest(operation=operation.name, **options)
        return self._video.ListVideoAnnotations(request, metadata=who or self.headers())


@pytest.fixture(scope="module")
def desk(house: House) -> Iterator[Desk]:
    with house.channel() as channel:
        yield Desk(house, channel)


@pytest.fixture(scope="module")
def folder(house: House) -> Path:
    videos = house.folder / "videos"
    shutil.copy(clips.real(clips.CARS), videos / clips.CARS)
    return videos


@pytest.fixture(scope="module")
def cars(desk: Desk, folder: Path) -> Any:
    return desk.done(desk.begin(clips.CARS, "LABELS", "SEGMENTS"))


def film(tmp_path: Path) -> bytes:
    frames = [clips.bars()] * 10 + [clips.noise(1)] * 10 + [clips.noise(2)] * 10
    return clips.written(tmp_path / "film.mp4", frames).read_bytes()


def refused(code: grpc.StatusCode, call: Callable[[], Any]) -> str:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert caught.value.code() is code
    return str(caught.value.details())


def metadata(operation: Any) -> video_pb2.AnalyzeVideoMetadata:
    told = video_pb2.AnalyzeVideoMetadata()
    assert operation.metadata.Unpack(told)
    return told


def test_two_cars_keep_their_numbers(desk: Desk, cars: Any) -> None:
    spans = desk.listed(cars, name="Car").annotations
    assert {one.track_id for one in spans} == {1, 2}
    for one in spans:
        assert one.start_offset.ToMicroseconds() == 0
        assert one.end_offset.ToMicroseconds() == 1_520_000, "half-open: the end of the last frame"
        assert "Vehicle" in one.parents
    frames = desk.listed(cars, name="Car", aggregate_by="VIDEO_AGGREGATE_FRAME").annotations
    for track in (1, 2):
        middles = [
            (one.bounding_box.x_min + one.bounding_box.x_max) / 2
            for one in frames
            if one.track_id == track
        ]
        assert len(middles) >= 4
        assert max(middles) - min(middles) < 0.1, "each is one car, in its own lane"


def test_what_is_told_of_an_operation(cars: Any) -> None:
    told = metadata(cars)
    assert told.state == video_pb2.VIDEO_STATE_SUCCEEDED
    assert told.progress == 1
    assert (told.format.width, told.format.height, told.format.codec) == (1280, 720, "h264")
    assert told.frame_count == 38
    assert 0 < told.analyzed_frame_count <= 8
    assert told.create_time.ToNanoseconds() <= told.start_time.ToNanoseconds()
    assert told.start_time.ToNanoseconds() < told.end_time.ToNanoseconds()
    response = video_pb2.AnalyzeVideoResponse()
    assert cars.response.Unpack(response)
    assert response.annotation_count == told.annotation_count > 0
    assert "yolox_nano" in {model.name for model in response.models}


def test_pages_by_time_and_by_name(desk: Desk, cars: Any) -> None:
    for order, key in (
        ("TIME", lambda one: one.start_offset.ToMicroseconds()),
        ("NAME", lambda one: (one.name, one.start_offset.ToMicroseconds())),
    ):
        asked = {"order_by": f"VIDEO_ORDER_{order}", "aggregate_by": "VIDEO_AGGREGATE_FRAME"}
        whole = list(desk.listed(cars, **asked).annotations)
        assert whole == sorted(whole, key=key)
        paged, token = [], ""
        while True:
            page = desk.listed(cars, **asked, page_size=3, page_token=token)
            paged += page.annotations
            if not (token := page.next_page_token):
                break
            assert len(page.annotations) == 3
        assert paged == whole
    refused(grpc.StatusCode.INVALID_ARGUMENT, lambda: desk.listed(cars, page_token="x"))


def test_segments_of_an_upload(desk: Desk, house: House, tmp_path: Path) -> None:
    operation = desk.done(desk.begin(film(tmp_path), "SEGMENTS"))
    found = {
        (one.name, one.segment.start_timecode, one.segment.end_timecode)
        for one in desk.listed(operation).annotations
    }
    assert found == {
        ("COLOR_BARS", "00:00:00:00", "00:00:01:00"),
        ("SHOT", "00:00:00:00", "00:00:01:00"),
        ("SHOT", "00:00:01:00", "00:00:02:00"),
        ("SHOT", "00:00:02:00", "00:00:03:00"),
    }
    assert not list((house.folder / "spool").iterdir()), "an upload is not kept"


def test_the_same_request_is_one_operation(desk: Desk, folder: Path) -> None:
    asked = str(uuid.uuid4())
    first = desk.begin(clips.CARS, "SEGMENTS", request_id=asked)
    again = desk.begin(clips.CARS, "SEGMENTS", request_id=asked.upper())
    assert first.name == again.name
    problem = refused(
        grpc.StatusCode.INVALID_ARGUMENT,
        lambda: desk.begin(clips.CARS, "LABELS", request_id=asked),
    )
    assert "request_id" in problem
    desk.done(first)


def test_a_damaged_video_ends_failed(desk: Desk, house: House) -> None:
    operation = desk.done(desk.begin(clips.real(clips.DAMAGED).read_bytes(), "LABELS"))
    assert operation.error.code == code_pb2.INVALID_ARGUMENT
    assert "damaged or cut short at 2.7 s" in operation.error.message
    assert metadata(operation).state == video_pb2.VIDEO_STATE_FAILED
    assert not list((house.folder / "spool").iterdir()), "what cannot be read is not kept either"


def test_what_is_refused_at_once(desk: Desk, folder: Path) -> None:
    bad = grpc.StatusCode.INVALID_ARGUMENT
    (folder / "out").symlink_to(folder.parent / "server.log")
    for name in ("../server.log", str(folder.parent / "server.log"), "out"):
        assert "folder" in refused(bad, lambda name=name: desk.begin(name, "LABELS"))
    refused(grpc.StatusCode.NOT_FOUND, lambda: desk.begin("none.mp4", "LABELS"))
    assert "is empty" in refused(bad, lambda: desk.begin(b"", "LABELS"))
    assert "MP4" in refused(bad, lambda: desk.begin(b"#EXTM3U\nhttp://x/", "LABELS"))
    assert "features" in refused(bad, lambda: desk.begin(clips.CARS))
    assert "features" in refused(bad, lambda: desk.begin(clips.CARS, "UNSPECIFIED"))
    assert "collection" in refused(bad, lambda: desk.begin(clips.CARS, "FACE_SEARCH"))


def test_what_is_written_and_what_may_be_unsafe(desk: Desk, tmp_path: Path) -> None:
    """A sign for a second, then the astronaut for another."""
    sign = Image.new("RGB", (512, 300), "white")
    ImageDraw.Draw(sign).text((40, 120), "NO ENTRY", "black", ImageFont.load_default(64))
    face = pictures.pixels("astronaut")[:300]
    path = clips.written(tmp_path / "v.mp4", [np.asarray(sign)] * 10 + [face] * 10)
    begun = desk.begin(path.read_bytes(), "TEXT", "MODERATION", min_confidence=0.03)
    found = desk.listed(desk.done(begun)).annotations
    [line] = [one for one in found if one.name == "NO ENTRY"]
    assert line.feature == video_pb2.VIDEO_FEATURE_TEXT
    assert (line.start_offset.ToSeconds(), line.end_offset.ToSeconds()) == (0, 1)
    assert line.bounding_box.x_min < 0.1 < 0.6 < line.bounding_box.x_max
    picture = moderation_pb2.ModerateImageRequest(
        image=image_pb2.Image(content=pictures.encode(face)), min_confidence=0.03
    )
    alone = desk.moderation.ModerateImage(picture, metadata=desk.headers())
    unsafe = [one for one in found if one.feature == video_pb2.VIDEO_FEATURE_MODERATION]
    assert {one.name for one in unsafe} == {one.name for one in alone.labels} != set()
    assert {one.start_offset.ToSeconds() for one in unsafe} == {1}


def test_tenants_do_not_see_each_other(desk: Desk, cars: Any) -> None:
    other = {"tenant": "acme-platform", "purpose": "content_safety"}
    for method in ("Get", "Cancel", "Delete", "Wait"):
        refused(
            grpc.StatusCode.NOT_FOUND,
            lambda method=method: desk.operation(method, cars.name, **other),
        )
    refused(grpc.StatusCode.NOT_FOUND, lambda: desk.listed(cars, who=desk.headers(**other)))
    assert cars.name not in {one.name for one in desk.operations(**other)}
    assert cars.name in {one.name for one in desk.operations()}


def test_cancelled_and_deleted(desk: Desk, folder: Path) -> None:
    operation = desk.begin(clips.CARS, "LABELS", "TEXT", "FACES")
    desk.operation("Cancel", operation.name)
    over = desk.operation("Get", operation.name)
    if not over.HasField("response"):  # unless it was faster than we
        assert over.error.code == code_pb2.CANCELLED
    assert over.done
    desk.operation("Delete", operation.name)
    refused(grpc.StatusCode.NOT_FOUND, lambda: desk.operation("Get", operation.name))
    refused(grpc.StatusCode.NOT_FOUND, lambda: desk.listed(operation))


def test_a_face_is_found_in_a_collection(desk: Desk, folder: Path) -> None:
    """People in a street, one of whom is enrolled from one of its frames."""
    with AvReader(VideoLimits()).open(clips.real(clips.FACES), field="video") as clip:
        frames = [frame.pixels(1920) for frame in clip.frames() if frame.index % 10 == 0]
    shutil.copy(clips.real(clips.FACES), folder / "people.mp4")
    search = desk.search
    headers = desk.headers()
    search.CreateCollection(
        search_pb2.CreateCollectionRequest(collection_id="street"), metadata=headers
    )
    person = frames[10][540:880, 700:900]
    indexed = search.IndexFaces(
        search_pb2.IndexFacesRequest(
            parent="collections/street",
            image=image_pb2.Image(content=pictures.encode(person)),
            external_image_id="boy",
            quality_filter=search_pb2.QUALITY_FILTER_NONE,
            provenance=collection_pb2.Provenance(source="test", legal_basis="test"),
        ),
        metadata=headers,
    )
    assert indexed.faces
    operation = desk.done(
        desk.begin(
            "people.mp4",
            "FACES",
            "FACE_SEARCH",
            collection="collections/street",
            min_similarity=0.5,
        )
    )
    assert not operation.HasField("error"), operation.error
    found = desk.listed(operation, features=["VIDEO_FEATURE_FACE_SEARCH"]).annotations
    tracks = desk.listed(operation, features=["VIDEO_FEATURE_FACES"]).annotations
    assert len(tracks) >= 3
    assert all(one.picture.startswith(b"\xff\xd8") for one in tracks)
    searched = [one.track_id for one in found]
    assert sorted(searched) == sorted(one.track_id for one in tracks), "each once"
    known = [one for one in found if one.candidates]
    assert len(known) == 1, known
    assert [match.face.external_image_id for match in known[0].candidates] == ["boy"]
    whole = known[0].end_offset.ToMicroseconds() - known[0].start_offset.ToMicroseconds()
    assert whole == 4_200_000, "he is there all the time, among others, and keeps one number"


def test_one_feature_that_the_law_refuses_refuses_the_video(
    desk: Desk, house: House, tmp_path: Path
) -> None:
    mine = {"tenant": POLICE, "purpose": "criminal_investigation"}
    asked = {"collection": "collections/street", "who": desk.headers(**mine)}
    before = desk.operations(**mine)
    message = refused(
        grpc.StatusCode.PERMISSION_DENIED,
        lambda: desk.begin(film(tmp_path), "LABELS", "FACE_SEARCH", **asked),
    )
    assert message.startswith("FACE_SEARCH: ")
    assert "criminal investigations" in message
    assert "LABELS" not in message
    assert desk.operations(**mine) == before
    assert not list((house.folder / "spool").iterdir())


def test_what_may_not_be_seen_now_is_named_or_refused(desk: Desk, tmp_path: Path) -> None:
    """Who looks for the missing must say that they do, also when they read what was found."""
    mine = {"tenant": "find-the-lost", "purpose": "missing_persons"}
    mandated, silent = desk.headers(**mine), desk.headers(mine["tenant"], "")
    desk.search.CreateCollection(
        search_pb2.CreateCollectionRequest(collection_id="missing"), metadata=mandated
    )
    asked = {"collection": "collections/missing", "who": mandated}
    operation = desk.begin(film(tmp_path), "SEGMENTS", "FACE_SEARCH", **asked)
    while not operation.done:
        operation = desk.operation("Wait", operation.name, **mine)
    assert not desk.listed(operation, who=mandated).refused_features
    page = desk.listed(operation, who=silent)
    [left_out] = page.refused_features
    assert left_out.feature == video_pb2.VIDEO_FEATURE_FACE_SEARCH
    assert left_out.law == "amazon-2021/police-face-comparison"
    assert {one.feature for one in page.annotations} == {video_pb2.VIDEO_FEATURE_SEGMENTS}
    for features in (["FACE_SEARCH"], ["SEGMENTS", "FACE_SEARCH"]):
        named = [f"VIDEO_FEATURE_{one}" for one in features]
        problem = refused(
            grpc.StatusCode.PERMISSION_DENIED,
            lambda named=named: desk.listed(operation, who=silent, features=named),
        )
        assert problem.startswith("FACE_SEARCH: ")
