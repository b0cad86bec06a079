"""`python -m tests.bench.live`: from a frame to its event, and how many frames a second, by feature."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from beholden.core.video import SECOND, VideoLimits
from beholden.media.pyav import AvReader
from beholden.v1 import search_pb2, search_pb2_grpc, video_pb2, video_pb2_grpc
from beholden.vision.crops import jpeg
from tests import clips
from tests.house import House, house

_FEATURES = ("PEOPLE", "LABELS", "FACES", "FACE_SEARCH", "TEXT", "MODERATION")
_RATE = 5
_ALL = {f"VIDEO__{pace}_SECONDS": "0" for pace in ("MOVING", "STIRRING", "STILL")}


class _Run:
    """One stream: when each frame was sent, and how long after it its answer came."""

    def __init__(self, running: House, feature: str, frames: Sequence[bytes], pause: float) -> None:
        self._frames = frames
        self._pause = pause
        self._sent: dict[int, float] = {}
        self._done = threading.Event()
        self.waits: list[float] = []
        self.dropped = 0
        start = video_pb2.StreamStart(features=[f"VIDEO_FEATURE_{feature}"])
        if feature == "FACE_SEARCH":
            start.collection = "collections/bench"
        metadata = running.headers("daily-herald", "editorial_research")
        begun = time.perf_counter()
        with running.channel() as channel:
            stub = video_pb2_grpc.VideoServiceStub(channel)
            for answer in stub.AnalyzeStream(self._messages(start), metadata=metadata):
                at = answer.offset.ToMicroseconds()
                self.dropped += sum(one.count for one in answer.dropped)
                if answer.events and at in self._sent:
                    self.waits.append(time.perf_counter() - self._sent[at])
        self.seconds = time.perf_counter() - begun

    def _messages(self, start: Any) -> Iterator[video_pb2.AnalyzeStreamRequest]:
        yield video_pb2.AnalyzeStreamRequest(start=start)
        for number, content in enumerate(self._frames):
            frame = video_pb2.StreamFrame(content=content)
            time_us = number * SECOND // _RATE
            frame.offset.FromMicroseconds(time_us)
            self._sent[time_us] = time.perf_counter()
            yield video_pb2.AnalyzeStreamRequest(part=video_pb2.StreamPart(frame=frame))
            time.sleep(self._pause)


def main() -> None:
    """A row a feature: a frame each 0.2 s, by the defaults; then every frame, as fast as they go."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=50)
    parser.add_argument("--features", default=",".join(_FEATURES))
    asked = parser.parse_args()
    table = Table(title="Live")
    for title in ("feature", "ms to its event: median", "95 %", "events", "left out", "frames/s"):
        table.add_column(title, justify="right")
    frames = {
        clip: _pictures(clip, asked.frames) for clip in (clips.WALKERS, clips.CARS, clips.FACES)
    }
    rows: dict[str, list[str]] = {}
    for settings in ({}, _ALL):
        with (
            tempfile.TemporaryDirectory() as folder,
            house(Path(folder), **settings) as running,
        ):
            _collection(running)
            for feature in asked.features.split(","):
                clip = {"PEOPLE": clips.WALKERS, "LABELS": clips.CARS}.get(feature, clips.FACES)
                shown = frames[clip]
                if settings:
                    run = _Run(running, feature, shown * 4, 0.0)
                    looked = len(shown) * 4 - run.dropped
                    rows[feature].append(f"{looked / run.seconds:.1f}")
                    continue
                run = _Run(running, feature, shown, 1 / _RATE)
                waits = [1000 * one for one in run.waits] or [float("nan")]
                rows[feature] = [
                    feature,
                    f"{statistics.median(waits):.0f}",
                    f"{sorted(waits)[int(0.95 * (len(waits) - 1))]:.0f}",
                    str(len(run.waits)),
                    str(run.dropped),
                ]
    for row in rows.values():
        table.add_row(*row)
    Console().print(table)


def _pictures(clip: str, count: int) -> list[bytes]:
    """So many frames as JPEGs of at most 1280 pixels, five a second, again from the first at the end."""
    chosen: list[bytes] = []
    with AvReader(VideoLimits()).open(clips.real(clip), field="video") as opened:
        step = max(1, round(float(opened.info.rate) / _RATE))
        for frame in opened.frames():
            if frame.index % step == 0:
                chosen.append(jpeg(frame.pixels(1280)))
            if len(chosen) == count:
                break
    return [chosen[number % len(chosen)] for number in range(count)]


def _collection(running: House) -> None:
    with running.channel() as channel:
        search_pb2_grpc.SearchServiceStub(channel).CreateCollection(
            search_pb2.CreateCollectionRequest(collection_id="bench"),
            metadata=running.headers("daily-herald", "editorial_research"),
        )


if __name__ == "__main__":
    main()
