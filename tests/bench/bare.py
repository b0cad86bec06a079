"""`python -m tests.bench.bare`: each RPC on a picture next to the models that it asks, in the same run.

The models alone are given the very tensors that the RPC gives them, by the same engine in this
process, memory kept as the server keeps it: between the two rates lie decoding, array maths, guard,
policy, ledger, wire and client. Other work on the machine disturbs the rates and hardly the processor
time of a picture, in the server's process and in this one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from rich.console import Console
from rich.table import Table

from beholden.core.models import ModelSpec
from beholden.core.ports import InferenceEngine, Tensor
from beholden.inference.open import open_inference
from beholden.runtime import server, wiring
from beholden.runtime.allocator import trimmed
from beholden.runtime.settings import Settings
from tests.bench.__main__ import TENANT, Bench, embedded
from tests.bench.calls import prepare
from tests.bench.load import Ask, measure
from tests.house import ROOT, headers
from tests.stack import folder

RPCS = (
    "DetectFaces", "DetectLabels", "DetectText", "ModerateImage", "EmbedFaces", "CompareFaces",
    "RedactImage",
)  # fmt: skip
CALLERS = (1, 8)

Asked = Sequence[tuple[ModelSpec, Mapping[str, Tensor]]]


class Recorder:
    """An engine that keeps what it is asked."""

    def __init__(self, engine: InferenceEngine) -> None:
        self._engine = engine
        self.asked: list[tuple[ModelSpec, Mapping[str, Tensor]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def infer(
        self, model: ModelSpec, inputs: Mapping[str, Tensor], **options: Any
    ) -> Mapping[str, Tensor]:
        """Keeps and passes on."""
        self.asked.append((model, inputs))
        return await self._engine.infer(model, inputs, **options)


async def recorded(settings: Settings) -> Mapping[str, Asked]:
    """What each RPC asks of the models, from a server in this process."""
    made: list[Recorder] = []

    async def recording(*args: Any, **options: Any) -> Recorder:
        made.append(Recorder(await open_inference(*args, **options)))
        return made[-1]

    wiring.open_inference = recording  # type: ignore[attr-defined,assignment]
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(server.serve(settings, ready=ready.set_result))
    try:
        await asyncio.wait((ready, serving), return_when=asyncio.FIRST_COMPLETED)
        async with grpc.aio.insecure_channel(await ready) as channel:
            who = headers(settings.guard.identity.key_file, TENANT, "editorial_research")
            asks = await prepare(channel, who)
            found = {}
            for rpc in RPCS:
                made[0].asked.clear()
                await asks[rpc]()
                found[rpc] = tuple(made[0].asked)
            return found
    finally:
        wiring.open_inference = open_inference  # type: ignore[attr-defined]
        serving.cancel()
        await asyncio.wait((serving,))


@asynccontextmanager
async def alone(settings: Settings, asked: Mapping[str, Asked]) -> AsyncIterator[Mapping[str, Ask]]:
    """An ask for each RPC that runs its models and nothing else."""
    models = {model.id: model for parts in asked.values() for model, _ in parts}
    engine = await open_inference(
        settings.inference_url,
        settings.model_repository,
        list(models.values()),
        settings.inference,
    )

    def ask(parts: Asked) -> Ask:
        async def run() -> None:
            for model, inputs in parts:
                await engine.infer(model, inputs)

        return run

    try:
        yield {rpc: ask(parts) for rpc, parts in asked.items()}
    finally:
        await engine.close()


def _spent(pid: int) -> float:
    """Seconds that all threads of a process have had of a processor."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def timed(ask: Ask, pid: int, callers: int, seconds: float) -> tuple[float, float]:
    """Pictures per second, and the process's milliseconds of processor time for each."""
    for _ in range(3):
        await ask()
    begun = _spent(pid)
    found = await measure(ask, callers=callers, seconds=seconds, warmup=0)
    return found.rate, (_spent(pid) - begun) / found.calls * 1e3


async def run(bench: Bench, seconds: float, rpcs: Sequence[str]) -> dict[str, Any]:
    """Rates, and the service's share of the models' own, by RPC."""
    asked = await recorded(bench.settings)
    (address,) = bench.places.values()
    rows: dict[str, Any] = {}
    async with (
        trimmed(server.TRIM_SECONDS),
        alone(bench.settings, asked) as models,
        grpc.aio.insecure_channel(address) as channel,
    ):
        served = await prepare(channel, bench.headers)
        for rpc in rpcs:
            rows[rpc] = []
            for callers in CALLERS:
                bare, alone_ms = await timed(models[rpc], os.getpid(), callers, seconds)
                through, served_ms = await timed(served[rpc], bench.pid, callers, seconds)
                rows[rpc].append(
                    {"callers": callers, "service": through, "models": bare,
                     "ratio": through / bare, "service_ms": served_ms, "models_ms": alone_ms}
                )  # fmt: skip
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return {"machine": machine, "seconds": seconds, "rpcs": rows}


def main() -> None:
    """Runs, shows, and keeps the figures under out/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="length of each run")
    parser.add_argument("--rpcs", nargs="+", default=RPCS, choices=RPCS)
    options = parser.parse_args()
    with folder() as place, embedded(place) as bench:
        found = asyncio.run(run(bench, options.seconds, options.rpcs))
    kept = ROOT / "out" / "bench-bare.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(found, indent=1))
    table = Table(
        title="Pictures per second, and milliseconds of processor time", caption=found["machine"]
    )
    table.add_column("RPC")
    for callers in CALLERS:
        for title in (f"{callers}: service", "models", "share", "ms", "models"):
            table.add_column(title, justify="right")
    for rpc, rows in found["rpcs"].items():
        cells = [
            cell
            for row in rows
            for cell in (
                f"{row['service']:.1f}",
                f"{row['models']:.1f}",
                f"{row['ratio']:.0%}",
                f"{row['service_ms']:.1f}",
                f"{row['models_ms']:.1f}",
            )
        ]
        table.add_row(rpc, *cells)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
