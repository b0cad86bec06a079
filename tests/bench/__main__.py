"""`make bench`: what guard, policy and ledger cost, and how fast each RPC answers.

Every figure is of one run on one machine; compare within a run, not between runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import tempfile
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich.console import Console
from rich.table import Table

from tests.bench.bare import embedding_pipeline
from tests.bench.calls import picture, prepare
from tests.bench.load import measure
from tests.house import ROOT, house

TENANT = "daily-herald"


async def run(seconds: float, rounds: int) -> dict[str, Any]:
    """Every figure, as JSON."""
    with tempfile.TemporaryDirectory() as folder, house(Path(folder)) as served:
        metadata = served.headers(TENANT, "editorial_research", roles=["operator"])
        async with grpc.aio.insecure_channel(served.address) as channel:
            asks = await prepare(channel, metadata)
            health = health_pb2_grpc.HealthStub(channel)
            unguarded = await measure(
                lambda: health.Check(health_pb2.HealthCheckRequest()), callers=1, seconds=seconds
            )
            rpcs = {
                name: [
                    (await measure(ask, callers=callers, seconds=seconds)).row()
                    for callers in (1, 8)
                ]
                for name, ask in asks.items()
            }
            content = picture()
            pairs = []
            async with embedding_pipeline(ROOT) as bare:
                for _ in range(rounds):
                    alone = await measure(lambda: bare.embed(content), callers=8, seconds=seconds)
                    through = await measure(asks["EmbedFaces"], callers=8, seconds=seconds)
                    pairs.append((through.rate, alone.rate))
    guarded = rpcs["GetPolicyStatus"][0]
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "seconds": seconds,
        "unguarded": unguarded.row(),
        "overhead_ms": {q: guarded[q] - getattr(unguarded, q) for q in ("p50", "p99")},
        "rpcs": rpcs,
        "embed_vs_bare": [
            {"served": served, "bare": bare, "ratio": served / bare} for served, bare in pairs
        ],
    }


def show(found: dict[str, Any]) -> None:
    """A table for people."""
    out = Console()
    table = Table(title="Latency in ms, answers per second", caption=found["machine"])
    for name in ("RPC", "1: p50", "p99", "per s", "8: p50", "p99", "per s"):
        table.add_column(name, justify="left" if name == "RPC" else "right")
    for rpc, rows in found["rpcs"].items():
        cells = (f"{row[q]:.1f}" for row in rows for q in ("p50", "p99", "rate"))
        table.add_row(rpc, *cells)
    out.print(table)
    cost = found["overhead_ms"]
    out.print(
        f"guard + policy + ledger: {cost['p50']:.1f} ms at p50, {cost['p99']:.1f} ms at p99 "
        "(GetPolicyStatus less an unguarded health check)"
    )
    ratio = statistics.median(pair["ratio"] for pair in found["embed_vs_bare"])
    out.print(f"EmbedFaces against the bare pipeline, 8 callers: {ratio:.0%} (median)")


def main() -> None:
    """Runs, shows, and keeps the figures under out/."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="length of each run")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of service and bare pipeline")
    parser.add_argument("--json", type=Path, default=ROOT / "out" / "bench.json")
    options = parser.parse_args()
    found = asyncio.run(run(options.seconds, options.rounds))
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(json.dumps(found, indent=1))
    show(found)


if __name__ == "__main__":
    main()
