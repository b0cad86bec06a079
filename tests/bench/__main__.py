"""`make bench [ENGINES=real]`: what guard, policy and ledger cost, and how fast each RPC answers.

Every figure is of one run on one machine; compare within a run, not between runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from rich.console import Console
from rich.table import Table

from beholden.engines.state import State
from beholden.runtime.settings import Settings
from tests.bench.calls import picture, prepare
from tests.bench.floors import Ask, bare_pipeline, triton_alone
from tests.bench.load import measure
from tests.bench.routed import routed
from tests.bench.shares import shares
from tests.house import MODELS, ROOT, house
from tests.stack import folder, stack

TENANT = "daily-herald"


@dataclass(frozen=True)
class Bench:
    """A Beholden to measure: its services, a caller, its floor, and the settings of its engines."""

    places: dict[str, str]
    headers: list[tuple[str, str]]
    floor: AbstractAsyncContextManager[Ask]
    settings: Settings
    callers: tuple[int, ...]
    pid: int = 0
    """The server's process, where there is one."""


@contextmanager
def embedded(place: Path) -> Iterator[Bench]:
    """`beholden serve all` over the embedded twins, held against the pipeline in this process."""
    with house(place) as served:
        settings = Settings(
            listen="127.0.0.1:0",
            store_url=f"file:{place}/shares.db",
            ledger_url=f"sqlite:///{place}/shares.ledger.db",
            model_repository=MODELS,
        )
        yield Bench(
            places={"": served.address},
            headers=served.headers(TENANT, "editorial_research", roles=["operator"]),
            floor=bare_pipeline(picture()),
            settings=_keyed(settings, place),
            callers=(1, 8),
            pid=served.process.pid or 0,
        )


@contextmanager
def real(place: Path) -> Iterator[Bench]:
    """`beholden up`, held against Triton asked by its own client."""
    with stack(place) as up:
        found = {name: record.address for name, record in State(place / "up").read().items()}
        settings = Settings(
            listen="127.0.0.1:0",
            inference_url=found["triton"],
            store_url=found["milvus"],
            policy_url=found["opa"],
            ledger_url=found["postgres"],
            model_repository=MODELS,
        )
        settings.ledger.key_file = place / "var" / "ledger.key"
        yield Bench(
            places=json.loads((place / "up" / "endpoints.json").read_text()),
            headers=up.headers(TENANT, "editorial_research", roles=["operator"]),
            floor=triton_alone(picture(), found["triton"].removeprefix("grpc://")),
            settings=_keyed(settings, place),
            callers=(1, 8, 32),
        )


def _keyed(settings: Settings, place: Path) -> Settings:
    settings.telemetry.log_level = "error"
    settings.guard.identity.key_file = place / "identity.key"
    if not settings.ledger.key_file.is_absolute():
        settings.ledger.key_file = place / "shares.key"
    return settings


async def run(bench: Bench, seconds: float, rounds: int) -> dict[str, Any]:
    """Every figure, as JSON."""
    async with routed(bench.places) as channel:
        asks = await prepare(channel, bench.headers)
        address = next(iter(bench.places.values()))
        async with grpc.aio.insecure_channel(address) as plain:
            health = health_pb2_grpc.HealthStub(plain)
            unguarded = await measure(
                lambda: health.Check(health_pb2.HealthCheckRequest()), callers=1, seconds=seconds
            )
        rpcs = {
            name: [
                (await measure(ask, callers=callers, seconds=seconds)).row()
                for callers in bench.callers
            ]
            for name, ask in asks.items()
        }
        pairs = []
        async with bench.floor as floor:
            for _ in range(rounds):
                alone = await measure(floor, callers=8, seconds=seconds)
                through = await measure(asks["EmbedFaces"], callers=8, seconds=seconds)
                pairs.append((through.rate, alone.rate))
    guarded = rpcs["GetPolicyStatus"][0]
    return {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "seconds": seconds,
        "unguarded": unguarded.row(),
        "overhead_ms": {q: guarded[q] - getattr(unguarded, q) for q in ("p50", "p99")},
        "rpcs": rpcs,
        "against_floor": [
            {"served": served, "floor": alone, "ratio": served / alone} for served, alone in pairs
        ],
        "shares": await shares(bench.settings, TENANT, 20),
    }


def show(found: dict[str, Any]) -> None:
    """Tables for people."""
    out = Console(width=150)
    some = next(iter(found["rpcs"].values()))
    table = Table(title="Latency in ms, answers per second", caption=found["machine"])
    table.add_column("RPC")
    for row in some:
        for title in (f"{row['callers']}: p50", "p95", "p99", "per s"):
            table.add_column(title, justify="right")
    for rpc, rows in found["rpcs"].items():
        cells = (f"{row[q]:.1f}" for row in rows for q in ("p50", "p95", "p99", "rate"))
        table.add_row(rpc, *cells)
    out.print(table)
    parts = list(next(iter(found["shares"].values())))
    table = Table(title="Where a call's time goes, one caller")
    table.add_column("RPC")
    for part in parts:
        table.add_column(part, justify="right")
    for rpc, share in found["shares"].items():
        table.add_row(
            rpc, *(f"{share[part]:.1f}" if part == "ms" else f"{share[part]:.0%}" for part in parts)
        )
    out.print(table)
    cost = found["overhead_ms"]
    out.print(
        f"guard + policy + ledger: {cost['p50']:.1f} ms at p50, {cost['p99']:.1f} ms at p99 "
        "(GetPolicyStatus less an unguarded health check)"
    )
    ratio = statistics.median(pair["ratio"] for pair in found["against_floor"])
    out.print(f"EmbedFaces against its floor, 8 callers: {ratio:.0%} (median)")


def main() -> None:
    """Runs, shows, and keeps the figures under out/."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--engines", choices=("embedded", "real"), default="embedded")
    parser.add_argument("--seconds", type=float, default=4, help="length of each run")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of service and floor")
    options = parser.parse_args()
    with folder() as place, (real if options.engines == "real" else embedded)(place) as bench:
        found = asyncio.run(run(bench, options.seconds, options.rounds))
    kept = ROOT / "out" / f"bench-{options.engines}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(found, indent=1))
    show(found)


if __name__ == "__main__":
    main()
