"""`python -m tests.bench.video_kill`: kill -9 during one video, ten times; what is found stays the same."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from google.longrunning import operations_grpc_pb2, operations_pb2

from beholden.v1 import video_pb2, video_pb2_grpc
from tests import clips
from tests.house import House, house

_SETTINGS = {"VIDEO__CHUNK_SECONDS": "0.2", "JOBS__LEASE_SECONDS": "2"}


def main() -> None:
    """Says how often it was killed and at which chunks, and whether the results are equal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    kills = parser.parse_args().kills
    with tempfile.TemporaryDirectory() as folder:
        features = ("LABELS", "PEOPLE", "ACTIVITIES", "SEGMENTS", "FACES")
        found, places = killed(Path(folder), clips.FACES, features, kills)
    shown = ", ".join(f"{one:.0%}" for one in places)
    print(f"killed {kills} times, at {shown}: the same {len(found)} annotations")


def killed(
    folder: Path, clip: str, features: Sequence[str], kills: int
) -> tuple[list[bytes], list[float]]:
    """What is found in the clip, and where its server was killed so many times meanwhile.

    Raises AssertionError where an undisturbed server finds something else.
    """
    settings = {**_SETTINGS, "VIDEO__FOLDER": str(clips.real(clip).parent)}
    places: list[float] = []
    with house(folder, **settings) as running:
        whole = _found(running, _over(running, _begin(running, clip, features)))
        name = _begin(running, clip, features)
    for _ in range(kills):
        with house(folder, **settings) as running:
            places.append(_after_progress(running, name, places[-1] if places else 0.0))
            running.kill()
    with house(folder, **settings) as running:
        disturbed = _found(running, _over(running, name))
    assert disturbed == whole, "what was found is not the same"
    return whole, places


def _begin(running: House, clip: str, features: Sequence[str]) -> str:
    request = video_pb2.AnalyzeVideoRequest(
        video=video_pb2.Video(file=clip),
        features=[f"VIDEO_FEATURE_{one}" for one in features],
    )
    with running.channel() as channel:
        stub = video_pb2_grpc.VideoServiceStub(channel)
        operation = stub.AnalyzeVideo(request, metadata=running.headers("daily-herald"))
    return str(operation.name)


def _operation(running: House, name: str) -> tuple[Any, video_pb2.AnalyzeVideoMetadata]:
    with running.channel() as channel:
        stub = operations_grpc_pb2.OperationsStub(channel)
        operation = stub.GetOperation(
            operations_pb2.GetOperationRequest(name=name), metadata=running.headers("daily-herald")
        )
    told = video_pb2.AnalyzeVideoMetadata()
    operation.metadata.Unpack(told)
    return operation, told


def _over(running: House, name: str) -> str:
    while True:
        operation, _ = _operation(running, name)
        if operation.done:
            assert operation.HasField("response"), operation.error
            return name
        time.sleep(0.3)


def _after_progress(running: House, name: str, before: float) -> float:
    """Waits for a chunk more, and then into the middle of the next."""
    while True:
        operation, told = _operation(running, name)
        assert not operation.done, "it was over before it was killed often enough"
        if told.progress > before:
            time.sleep(0.15)
            return told.progress
        time.sleep(0.02)


def _found(running: House, name: str) -> list[bytes]:
    found: list[bytes] = []
    with running.channel() as channel:
        stub = video_pb2_grpc.VideoServiceStub(channel)
        for aggregate in ("VIDEO_AGGREGATE_SEGMENT", "VIDEO_AGGREGATE_FRAME"):
            request = video_pb2.ListVideoAnnotationsRequest(
                operation=name, aggregate_by=aggregate, page_size=1000
            )
            while True:
                page = stub.ListVideoAnnotations(request, metadata=running.headers("daily-herald"))
                found += [one.SerializeToString(deterministic=True) for one in page.annotations]
                if not page.next_page_token:
                    break
                request.page_token = page.next_page_token
    return found


if __name__ == "__main__":
    main()
