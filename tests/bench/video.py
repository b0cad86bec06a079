"""`python -m tests.bench.video`: what looking at chosen frames costs and misses, against every frame."""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import av
from rich.console import Console
from rich.table import Table

from beholden.core.geometry import Box, iou
from beholden.core.jobs import Annotation
from beholden.core.video import SECOND, VideoLimits
from beholden.media.pyav import AvReader
from beholden.video.features import Feature
from tests import clips
from tests.analyses import Analyst, Found, analyst

# Truth, counted by eye on pictures of every second: people in the walkers' clip, one at a time (6 to
# 20 s, 22.5 to 45, 50.5 to 70, 74.5 to 87, 92.5 to 120, 123.5 to 136), and cars near enough to tell.
PEOPLE = 6
CARS = 2

_SETS = (
    (clips.WALKERS, (Feature.PEOPLE, Feature.ACTIVITIES)),
    (clips.CARS, (Feature.LABELS,)),
    (clips.FACES, (Feature.FACES,)),
    (clips.FACES, (Feature.LABELS, Feature.PEOPLE, Feature.FACES, Feature.SEGMENTS)),
    (clips.FACES, (Feature.TEXT,)),
    (clips.FACES, (Feature.MODERATION,)),
    (clips.WALKERS, (Feature.MODERATION,)),
)
_EVERY = {"moving_seconds": 0, "stirring_seconds": 0, "still_seconds": 0}
_EVENT_US = SECOND // 2

_Path = dict[int, Box]


def main() -> None:
    """A row for each clip and set of features; `--hour` follows memory over an hour instead."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hour", action="store_true", help="memory over an hour of looped video")
    hour = parser.parse_args().hour
    asyncio.run(_hour() if hour else _compare())


async def _compare() -> None:
    table = Table(title="Chosen frames against every frame")
    for title in (
        "clip",
        "features",
        "frames",
        "CPU s",
        "x real time",
        "cheaper",
        "events",
        "kept",
        "by every 2nd frame",
    ):
        table.add_column(title)
    async with analyst() as here:
        for clip, features in _SETS:
            path = clips.real(clip)
            await here.analysed(path, *features)  # the first run of a model costs more
            few, few_cpu, few_wall, length = await _timed(here, path, features)
            all_, all_cpu, all_wall, _ = await _timed(here, path, features, **_EVERY)
            events, kept = _events(all_, few, features)
            # What any sampling can keep at most: the rest is the trembling of every frame's own.
            half = await here.analysed(path, *features, **_every_other(path))
            table.add_row(
                clip.partition("_")[0].partition("-")[0],
                " ".join(features).lower(),
                f"{few.state.looked} of {few.state.frames}",
                f"{few_cpu:.1f} against {all_cpu:.1f}",
                f"{length / few_wall:.1f} against {length / all_wall:.1f}",
                f"{all_cpu / few_cpu:.1f}",
                str(events),
                f"{kept / events:.0%}" if events else "-",
                f"{_events(all_, half, features)[1] / events:.0%}" if events else "-",
            )
            if clip == clips.WALKERS and Feature.PEOPLE in features:
                assert abs(len(few.spans(Feature.PEOPLE)) - PEOPLE) <= 1, "people are miscounted"
            if clip == clips.CARS:
                cars = [one for one in few.spans(Feature.LABELS) if one.name == "Car"]
                assert len(cars) == CARS, "cars lost their numbers"
    Console(width=180).print(table)


def _every_other(path: Path) -> dict[str, float]:
    """The settings that look at every second frame."""
    with AvReader(VideoLimits()).open(path, field="video") as clip:
        return dict.fromkeys(_EVERY, 2 / float(clip.info.rate))


async def _timed(
    here: Analyst, path: Path, features: Sequence[Feature], **settings: float
) -> tuple[Found, float, float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    found = await here.analysed(path, *features, **settings)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return found, cpu, wall, found.state.segmenter.last_us / SECOND


def _events(every: Found, few: Found, features: Sequence[Feature]) -> tuple[int, int]:
    """How many stretches of half a second and more every frame tells of, and how many are in both."""
    events = kept = 0
    for feature in features:
        left = few.spans(feature)
        theirs, ours = _paths(every, feature), _paths(few, feature)
        for event in every.spans(feature):
            if event.end_us - event.start_us < _EVENT_US:
                continue
            events += 1
            for one in left:
                way, other = theirs.get(event.track), ours.get(one.track)
                if _same(event, one) and _there(way, other):
                    left.remove(one)
                    kept += 1
                    break
    return events, kept


def _same(one: Annotation, other: Annotation) -> bool:
    """Of one name, and together for half the time that either lasts."""
    both = min(one.end_us, other.end_us) - max(one.start_us, other.start_us)
    either = max(one.end_us, other.end_us) - min(one.start_us, other.start_us)
    return one.name == other.name and both >= either / 2


def _there(every: _Path | None, few: _Path | None) -> bool:
    """In the same place in half the frames that were chosen; what has no place is where it is."""
    if every is None or few is None:
        return every is few
    alike = [at in every and iou(every[at], box) >= 0.5 for at, box in few.items()]
    return sum(alike) >= len(alike) / 2


def _paths(found: Found, feature: Feature) -> dict[int, _Path]:
    """Where each track was, by time."""
    paths: dict[int, _Path] = defaultdict(dict)
    for one in found.annotations:
        if one.feature == feature and not one.span and one.track and one.box is not None:
            paths[one.track][one.start_us] = one.box
    return paths


async def _hour() -> None:
    seen: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hour.mp4"
        _loop(clips.real(clips.WALKERS), path, 26)
        async with analyst() as here:
            begun = time.perf_counter()
            found = await here.analysed(
                path,
                Feature.PEOPLE,
                Feature.SEGMENTS,
                chunk_done=lambda _: seen.append(_resident()),
                moving_seconds=1.0,  # which memory does not depend on, and time does
            )
            took = time.perf_counter() - begun
    length = found.state.segmenter.last_us / SECOND
    Console().print(
        f"{length / 60:.0f} min in {took / 60:.1f} min, {length / took:.1f} x real time; "
        f"{len(found.spans(Feature.PEOPLE))} people (truth {26 * PEOPLE}); "
        f"MiB after 1 chunk {seen[0]:.0f}, a tenth {seen[len(seen) // 10]:.0f}, "
        f"half {seen[len(seen) // 2]:.0f}, all {seen[-1]:.0f}, most {max(seen):.0f}"
    )


def _resident() -> float:
    """This process's memory in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _loop(source: Path, out: Path, times: int) -> None:
    """The packets of `source` again and again: nothing is encoded anew."""
    with av.open(str(out), "w") as made:
        offset = 0
        stream = None
        for _ in range(times):
            with av.open(str(source)) as file:
                video = file.streams.video[0]
                stream = stream or made.add_stream_from_template(video)
                for packet in file.demux(video):
                    if packet.dts is None:
                        continue
                    packet.dts += offset
                    packet.pts += offset
                    packet.stream = stream
                    made.mux(packet)
                offset += video.duration


if __name__ == "__main__":
    main()
