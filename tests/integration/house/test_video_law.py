"""Videos under a law of the test's own: what is refused at once, and a ban that lands in the middle."""

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import grpc
import pytest
from google.longrunning import operations_grpc_pb2, operations_pb2
from google.rpc import code_pb2, error_details_pb2

from beholden.core.video import VideoLimits
from beholden.media.pyav import AvReader
from beholden.v1 import video_pb2, video_pb2_grpc
from tests import clips
from tests.house import House, house
from tests.pictures import ROOT

BAN = {
    "says": "Nobody may follow people",
    "classes": ["person_tracking"],
    "since": "2020-01-01",
    "until": "",
}


DELETED = {
    "says": "What is found is deleted within a day.",
    "since": "2020-01-01",
    "until": "",
    "asks": {"delete_by": 24},
}
FACES = {
    **BAN,
    "says": "Platforms find no faces",
    "classes": ["face_analysis"],
    "kinds": ["platform"],
}
DUTIES = {
    "labels": {**DELETED, "classes": ["label_analysis"]},
    "platforms": {**DELETED, "classes": ["video_analysis"], "kinds": ["platform"]},
}


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A law of its own."""
    own = tmp_path_factory.mktemp("law") / "policies"
    shutil.copytree(ROOT / "policies", own)
    (own / "law/duties/data.json").write_text(json.dumps(DUTIES))
    (own / "law/moratoria/data.json").write_text(json.dumps({"faces": FACES}))
    return own


@pytest.fixture(scope="module")
def running(policies: Path) -> Iterator[House]:
    settings = {
        "POLICY_URL": f"file:{policies}",
        "VIDEO__FOLDER": str(clips.real(clips.WALKERS).parent),
        "VIDEO__CHUNK_SECONDS": "2",
        "GUARD__ASK_AGAIN": "60",  # so that it is the change of the law that ends it
    }
    with house(policies.parent, **settings) as opened:
        yield opened


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("tenant", "feature", "hours"),
    [("daily-herald", "LABELS", 24), ("acme-platform", "TEXT", 24), ("daily-herald", "TEXT", 0)],
    ids=["by one feature", "by the analysis", "by nothing"],
)
def test_what_is_to_be_deleted_by_a_time_says_so(
    running: House, tenant: str, feature: str, hours: int
) -> None:
    with running.channel() as channel:
        operation = video_pb2_grpc.VideoServiceStub(channel).AnalyzeVideo(
            video_pb2.AnalyzeVideoRequest(
                video=video_pb2.Video(file=clips.WALKERS),
                features=[f"VIDEO_FEATURE_{feature}", "VIDEO_FEATURE_SEGMENTS"],
            ),
            metadata=running.headers(tenant),
        )
        told = video_pb2.AnalyzeVideoMetadata()
        operation.metadata.Unpack(told)
        operations_grpc_pb2.OperationsStub(channel).DeleteOperation(
            operations_pb2.DeleteOperationRequest(name=operation.name),
            metadata=running.headers(tenant),
        )
    assert told.HasField("expire_time") == bool(hours)
    if hours:
        left = told.expire_time.ToDatetime() - told.create_time.ToDatetime()
        assert abs(left - timedelta(hours=hours)) < timedelta(minutes=1)


@pytest.mark.thorough
def test_faces_that_may_not_be_found_may_be_hidden(running: House, tmp_path: Path) -> None:
    """It is the law of hiding them in pictures that is asked; what is told is where they are."""
    reader = AvReader(VideoLimits())
    with reader.open(clips.real(clips.FACES), field="video") as clip:
        frames = [frame.pixels(960) for frame in islice(clip.frames(), 6)]
    street = clips.written(tmp_path / "street.mp4", frames).read_bytes()
    headers = running.headers("acme-platform")
    with running.channel() as channel:
        stub = video_pb2_grpc.VideoServiceStub(channel)

        def begin(feature: str) -> operations_pb2.Operation:
            request = video_pb2.AnalyzeVideoRequest(
                video=video_pb2.Video(content=street), features=[f"VIDEO_FEATURE_{feature}"]
            )
            return stub.AnalyzeVideo(request, metadata=headers)

        with pytest.raises(grpc.RpcError, match="FACES: Platforms find no faces"):
            begin("FACES")
        operation = begin("REDACTION")
        while not operation.done:
            wait = operations_pb2.WaitOperationRequest(name=operation.name)
            operation = operations_grpc_pb2.OperationsStub(channel).WaitOperation(
                wait, metadata=headers
            )
        assert not operation.HasField("error"), operation.error
        listed = [
            stub.ListVideoAnnotations(
                video_pb2.ListVideoAnnotationsRequest(
                    operation=operation.name, aggregate_by=aggregate
                ),
                metadata=headers,
            ).annotations
            for aggregate in ("VIDEO_AGGREGATE_FRAME", "VIDEO_AGGREGATE_SEGMENT")
        ]
    places, stretches = listed
    assert len({one.start_offset.ToMicroseconds() for one in places}) == 6, "every frame"
    assert all(one.HasField("bounding_box") for one in places)
    assert not any(one.picture or one.HasField("face") for one in places)
    assert not stretches


@pytest.mark.thorough
def test_a_ban_of_one_feature_ends_a_stream_and_a_video(running: House, policies: Path) -> None:
    with running.channel() as channel:
        headers = [
            *running.headers("daily-herald", "editorial_research"),
            ("beholden-realtime", "no"),
        ]
        operations = operations_grpc_pb2.OperationsStub(channel)
        operation = video_pb2_grpc.VideoServiceStub(channel).AnalyzeVideo(
            video_pb2.AnalyzeVideoRequest(
                video=video_pb2.Video(file=clips.WALKERS),
                features=["VIDEO_FEATURE_PEOPLE", "VIDEO_FEATURE_SEGMENTS"],
            ),
            metadata=headers,
        )
        asked = operations_pb2.GetOperationRequest(name=operation.name)
        told = video_pb2.AnalyzeVideoMetadata()
        while not told.progress:
            operation = operations.GetOperation(asked, metadata=headers)
            assert not operation.done, operation.error
            operation.metadata.Unpack(told)
        sent: SimpleQueue[Any] = SimpleQueue()
        features = ["VIDEO_FEATURE_LABELS", "VIDEO_FEATURE_PEOPLE"]
        sent.put(video_pb2.AnalyzeStreamRequest(start={"features": features}))
        stream = video_pb2_grpc.VideoServiceStub(channel).AnalyzeStream(
            iter(sent.get, None), metadata=headers
        )
        assert len(next(stream).features) == 2
        law = policies / "law/moratoria/data.json"
        law.write_text(json.dumps({"following": {**BAN, "realtime": True}}))
        with pytest.raises(grpc.RpcError) as caught:
            next(stream)
        sent.put(None)
        operation = operations.GetOperation(asked, metadata=headers)
        assert not operation.done, "it is live whatever is declared, and the video is not"
        law.write_text(json.dumps({"following": BAN}))
        while not operation.done:
            wait = operations_pb2.WaitOperationRequest(name=operation.name)
            operation = operations.WaitOperation(wait, metadata=headers)
        operation.metadata.Unpack(told)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert caught.value.details().startswith(f"PEOPLE: {BAN['says']}")
    assert operation.error.code == code_pb2.PERMISSION_DENIED
    assert operation.error.message.startswith(f"PEOPLE: {BAN['says']}")
    info = error_details_pb2.ErrorInfo()
    assert operation.error.details[0].Unpack(info)
    assert info.metadata["law"] == "moratoria/following"
    assert told.state == video_pb2.VIDEO_STATE_FAILED
    assert 0 < told.progress < 1
