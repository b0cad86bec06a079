"""`python -m tests.bench.memory`: the memory of one server over thousands of mixed pictures.

Pictures of all sizes and formats, good and bad, go to every RPC that takes one; the resident memory
of the server's process is read as it goes, and after every thousand pictures at rest. It holds when at
rest the last half adds next to nothing.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Event, Thread
from typing import Any

import grpc
import numpy as np
import skimage
from PIL import Image
from rich.console import Console
from rich.table import Table

from beholden.v1 import (
    detection_pb2,
    detection_pb2_grpc,
    embedding_pb2,
    embedding_pb2_grpc,
    image_pb2,
    moderation_pb2,
    moderation_pb2_grpc,
    redaction_pb2,
)
from tests.house import BEHOLDEN, ROOT, environment, headers
from tests.pictures import DATA

CALLERS = 4
REST = 12.0
# How often each RPC is asked: the dear ones less often, so that all are asked within minutes.
WEIGHTS = {
    "DetectFaces": 6, "ModerateImage": 6, "DetectLabels": 4, "EmbedFaces": 2, "DetectText": 1,
    "RedactImage": 1,
}  # fmt: skip


def pictures(seed: int) -> Iterator[bytes]:
    """Parts of real pictures in sizes from 16 to 2000 pixels, JPEG or PNG; one in fifty is damaged."""
    rng = np.random.default_rng(seed)
    shipped = Path(skimage.__file__).parent / "data"
    places = [*shipped.glob("*.png"), *DATA.rglob("groups/*.jpg"), *DATA.rglob("faces/*.jpg")]
    sources = [Image.open(one).convert("RGB") for one in sorted(places)]
    while True:
        source = sources[rng.integers(len(sources))]
        # Most pictures are small and some large, as uploads are; no two have quite the same shape.
        sides = np.clip(rng.lognormal(5.8, 0.8, 2), 16, 2000).astype(int)
        left, top = (int(rng.integers(max(1, length - 100))) for length in source.size)
        part = source.crop((left, top, *source.size)).resize(tuple(sides.tolist()))
        out = io.BytesIO()
        part.save(out, "PNG" if sides.max() < 500 and rng.random() < 0.3 else "JPEG")
        content = out.getvalue()
        yield content if rng.random() > 0.02 else content[: len(content) // 2]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens, its process, and the key that it believes."""

    address: str
    pid: int
    key_file: Path


def asks(home: Server, channel: grpc.Channel) -> Mapping[str, Callable[[bytes], Any]]:
    """A call of each RPC with a picture."""
    detection = detection_pb2_grpc.DetectionServiceStub(channel)
    embedding = embedding_pb2_grpc.EmbeddingServiceStub(channel)
    moderation = moderation_pb2_grpc.ModerationServiceStub(channel)
    every = [redaction_pb2.REDACTION_KIND_FACE, redaction_pb2.REDACTION_KIND_UNSAFE]
    kinds: dict[str, tuple[Any, Any, dict[str, Any]]] = {
        "DetectFaces": (detection.DetectFaces, detection_pb2.DetectFacesRequest, {}),
        "DetectLabels": (detection.DetectLabels, detection_pb2.DetectLabelsRequest, {}),
        "DetectText": (detection.DetectText, detection_pb2.DetectTextRequest, {}),
        "RedactImage": (detection.RedactImage, detection_pb2.RedactImageRequest, {"kinds": every}),
        "EmbedFaces": (embedding.EmbedFaces, embedding_pb2.EmbedFacesRequest, {}),
        "ModerateImage": (moderation.ModerateImage, moderation_pb2.ModerateImageRequest, {}),
    }

    def ask(call: Any, request: Any, options: Mapping[str, Any]) -> Callable[[bytes], Any]:
        return lambda content: call(
            request(image=image_pb2.Image(content=content), **options),
            metadata=headers(home.key_file, "daily-herald", "editorial_research"),
            timeout=60,
        )

    return {name: ask(*kind) for name, kind in kinds.items()}


def resident(pid: int) -> float:
    """MiB of the process that are in memory."""
    line = next(
        line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "VmRSS" in line
    )
    return int(line.split()[1]) / 1024


@contextmanager
def sampled(pid: int) -> Iterator[list[float]]:
    """What `resident` says each second; whoever reads clears it."""
    seen: list[float] = []
    over = Event()

    def sample() -> None:
        while not over.wait(1):
            seen.append(resident(pid))

    thread = Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


@contextmanager
def served(folder: Path) -> Iterator[Server]:
    """`beholden serve all` as who installed it runs it."""
    env = environment(folder)
    with (
        (folder / "server.log").open("w") as log,
        subprocess.Popen(
            [BEHOLDEN, "serve", "all", "--json"],
            env=env, cwd=folder, stdout=subprocess.PIPE, stderr=log,
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["address"]
        try:
            yield Server(address, process.pid, Path(env["BEHOLDEN_GUARD__IDENTITY__KEY_FILE"]))
        finally:
            process.terminate()


def load(home: Server, calls: int, minutes: float) -> dict[str, Any]:
    """Asks `calls` times, or as often as `minutes` allow; memory under load and at rest.

    A sample is of the pictures so far, then least, median and most of every 250 pictures' seconds: two
    large pictures at once take hundreds of MiB for a moment. At rest is what is held after every
    thousand, when each RPC was asked for one small picture after a while, which has its models give
    back what larger ones took, and then nothing.
    """
    names = [name for name, weight in WEIGHTS.items() for _ in range(weight)]
    rng = np.random.default_rng(1)
    ended: Counter[str] = Counter()
    samples, rests = [], []
    begin, step = time.monotonic(), max(1, min(250, calls // 20))
    with (
        grpc.insecure_channel(home.address) as channel,
        ThreadPoolExecutor(CALLERS) as pool,
        sampled(home.pid) as seen,
    ):
        call = asks(home, channel)

        def one(content: bytes, name: str) -> str:
            try:
                call[name](content)
            except grpc.RpcError as error:
                return str(error.code().name)
            return name

        stream = pictures(0)
        out = io.BytesIO()
        Image.effect_noise((64, 64), 20).convert("RGB").save(out, "PNG")
        small = out.getvalue()
        done = 0
        while done < calls and time.monotonic() - begin < 60 * minutes:
            chunk = list(islice(stream, step))
            chosen = [names[place] for place in rng.integers(len(names), size=len(chunk))]
            ended.update(pool.map(one, chunk, chosen))
            done += len(chunk)
            each, seen[:] = [*seen, resident(home.pid)], []
            samples.append((done, min(each), statistics.median(each), max(each)))
            if done % (4 * step) == 0:
                time.sleep(REST)
                for name in WEIGHTS:
                    one(small, name)
                time.sleep(REST)
                rests.append((done, resident(home.pid)))
                seen.clear()
    seconds = time.monotonic() - begin
    later = np.array(rests[len(rests) // 2 :])
    growth = np.polyfit(later[:, 0], later[:, 1], 1)[0] * 1000
    return {
        "samples": samples,
        "rests": rests,
        "ended": dict(ended),
        "seconds": seconds,
        "growth": float(growth),
    }


def main() -> None:
    """Runs, shows, and keeps the figures under out/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=20, help="stop after this time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as home:
        idle = resident(home.pid)
        found = {"idle": idle, **load(home, options.calls, options.minutes)}
    kept = ROOT / "out" / "memory.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(found, indent=1))
    table = Table(
        "pictures",
        "least MiB",
        "median",
        "most",
        "at rest",
        title=f"Resident memory, {idle:.0f} MiB before the first",
    )
    rests = dict(found["rests"])
    for done, *sizes in found["samples"]:
        rest = f"{rests[done]:.0f}" if done in rests else ""
        table.add_row(f"{done:,}", *(f"{size:.0f}" for size in sizes), rest)
    out = Console()
    out.print(table)
    out.print(f"{found['seconds']:.0f} s; ended: {found['ended']}")
    out.print(f"at rest, in the second half: {found['growth']:+.1f} MiB a thousand pictures")


if __name__ == "__main__":
    main()
