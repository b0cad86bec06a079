"""A ban that lands while videos are analysed ends what it bans, with its reason: live ones, or all."""

import json
import shutil
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import grpc
import pytest
from google.longrunning import operations_grpc_pb2, operations_pb2
from google.rpc import code_pb2, error_details_pb2

from beholden.v1 import video_pb2, video_pb2_grpc
from tests import clips
from tests.house import house
from tests.pictures import ROOT

BAN = {
    "says": "Nobody may follow people",
    "classes": ["person_tracking"],
    "since": "2020-01-01",
    "until": "",
}


@pytest.mark.thorough
def test_a_ban_of_one_feature_ends_a_stream_and_a_video(tmp_path: Path) -> None:
    policies = shutil.copytree(ROOT / "policies", tmp_path / "policies")
    videos = str(clips.real(clips.WALKERS).parent)
    settings = {
        "POLICY_URL": f"file:{policies}",
        "VIDEO__FOLDER": videos,
        "VIDEO__CHUNK_SECONDS": "2",
        "GUARD__ASK_AGAIN": "60",  # so that it is the change of the law that ends it
    }
    with house(tmp_path, **settings) as running, running.channel() as channel:
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
