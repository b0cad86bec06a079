"""One short video from its upload until its operation is over and deleted, as one ask."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from google.longrunning import operations_grpc_pb2, operations_pb2

from beholden.v1 import video_pb2, video_pb2_grpc
from tests import clips
from tests.bench.load import Ask


def analysed(channel: Any, metadata: list[tuple[str, str]]) -> Ask:
    """Asks for the shots of three seconds; raises what any of its calls raises, and where it failed."""
    video = video_pb2_grpc.VideoServiceStub(channel)
    operations = operations_grpc_pb2.OperationsStub(channel)
    with tempfile.TemporaryDirectory() as folder:
        frames = [clips.noise(shot) for shot in range(3) for _ in range(10)]
        content = clips.written(Path(folder) / "film.mp4", frames).read_bytes()
    begun = video_pb2.AnalyzeVideoRequest(
        video=video_pb2.Video(content=content),
        features=[video_pb2.VIDEO_FEATURE_SEGMENTS],
    )

    async def ask() -> object:
        operation = await video.AnalyzeVideo(begun, metadata=metadata)
        name = operation.name
        while not operation.done:
            wait = operations_pb2.WaitOperationRequest(name=name)
            operation = await operations.WaitOperation(wait, metadata=metadata)
        if operation.HasField("error"):
            raise RuntimeError(f"{name}: {operation.error.message}")
        delete = operations_pb2.DeleteOperationRequest(name=name)
        return await operations.DeleteOperation(delete, metadata=metadata)

    return ask
