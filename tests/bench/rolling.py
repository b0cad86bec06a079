"""`python -m tests.bench.rolling`: every service restarted and the law changed, under load.

Two processes a service on loopback over the real engines that are installed, and callers that take
turns between them and never retry. Each process is replaced as Kubernetes does it: one more is
started, and when it is ready an old one is told to go. Then a ban becomes law while everybody asks
what it forbids. Figures are of one run on one machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from rich.console import Console
from rich.table import Table

from beholden.engines import process
from beholden.engines.known import known
from beholden.engines.opa import Opa
from beholden.engines.plan import Plan
from beholden.engines.stack import Stack
from beholden.engines.state import State
from beholden.engines.unit import Unit, healthy
from beholden.runtime.needs import SERVICES
from beholden.runtime.settings import Settings
from tests.bench.calls import prepare
from tests.bench.film import analysed
from tests.bench.load import Ask
from tests.bench.routed import Routed
from tests.engines import HOME
from tests.house import BEHOLDEN, MODELS, headers
from tests.pictures import ROOT
from tests.rolling import balancing, load, ports
from tests.stack import folder

ASKED = {
    "detection": "DetectFaces",
    "embedding": "EmbedFaces",
    "search": "SearchFacesByImage",
    "moderation": "ModerateImage",
    "governance": "GetPolicyStatus",
    "video": "AnalyzeVideo",
}
"""What the callers of each service ask; a video from its upload until its operation is deleted."""

BANNED = "embedding"
BAN = {
    "says": "Nobody may use face recognition.",
    "classes": ["face_recognition"],
    "since": "2020-01-01",
    "until": "",
}
REFUSED = "PERMISSION_DENIED"


@dataclass
class Pod:
    """One process of a service, as a pod runs it."""

    unit: Unit
    log: Path

    async def start(self) -> float:
        """Seconds until it is ready."""
        begin = time.perf_counter()
        self.process = process.start(self.unit, self.log)
        while not await asyncio.to_thread(healthy, self.unit.health):
            if not process.alive(self.process):
                raise RuntimeError(self.log.read_text(errors="replace")[-2000:])
            await asyncio.sleep(0.05)
        return time.perf_counter() - begin

    async def leave(self) -> float:
        """Seconds from SIGTERM until it is gone."""
        begin = time.perf_counter()
        os.kill(self.process.pid, self.unit.stop)
        while process.alive(self.process):
            await asyncio.sleep(0.02)
        return time.perf_counter() - begin

    def held(self) -> tuple[int, float]:
        """Bytes that it holds now, and seconds of CPU that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        return process.memory(self.process), ticks / os.sysconf("SC_CLK_TCK")


@dataclass
class Row:
    """One service's line of the table; times in seconds, `failed` by status code."""

    service: str
    processes: int = 0
    ready: list[float] = field(default_factory=list)
    idle: int = 0
    cpu: float = 0.0
    drain: list[float] = field(default_factory=list)
    answered: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    changing: int = 0
    changing_failed: dict[str, int] = field(default_factory=dict)


@dataclass
class Cluster:
    """The engines under `place`, and what every process is told."""

    place: Path
    env: dict[str, str]
    opa: bool
    services: tuple[str, ...]

    @property
    def policies(self) -> Path:
        """The law, ours to change."""
        return self.place / "policies"

    def pod(self, service: str, address: str) -> Pod:
        """A process of `service`, not started yet."""
        unit = Unit(
            name=service,
            argv=[str(BEHOLDEN), "serve", service, "--listen", address],
            address=address,
            health=f"grpc://{address}",
            env={**os.environ, **self.env},
            folder=self.place,
        )
        return Pod(unit, self.place / "logs" / f"{service}-{address.partition(':')[2]}.log")

    def ban(self) -> None:
        """Makes the ban law, without a word to any process."""
        moratoria = self.policies / "law" / "moratoria" / "data.json"
        fresh = moratoria.with_suffix(".new")
        fresh.write_text(json.dumps({"everybody": BAN}))
        fresh.replace(moratoria)
        if self.opa:
            Opa(HOME).bundle(self.policies, self.place / "up" / "opa")

    def headers(self) -> list[tuple[str, str]]:
        """A call's metadata, of one who may ask all of it."""
        return headers(
            self.place / "identity.key", "daily-herald", "editorial_research", roles=["operator"]
        )

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Every record of the ledger, as its export has them."""
        told = subprocess.run(
            [BEHOLDEN, "ledger", "export", "-", "--ledger", self.env["BEHOLDEN_LEDGER_URL"]],
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        yield from map(json.loads, told.splitlines())


@contextmanager
def cluster(place: Path, notice: float, without: Sequence[str]) -> Iterator[Cluster]:
    """The engines, healthy; embedded twins of those in `without`."""
    shutil.copytree(ROOT / "policies", place / "policies")
    settings = Settings(model_repository=MODELS, policy_url=f"file:{place}/policies")
    settings.guard.identity.key_file = place / "identity.key"
    steps = Plan(settings, HOME, place / "up", without=without).steps()
    stack = Stack(place / "up")
    try:
        stack.up(steps[:1])
        at = {name: record.address for name, record in State(place / "up").read().items()}
        env = {
            "BEHOLDEN_INFERENCE_URL": at.get("triton", "local:"),
            "BEHOLDEN_STORE_URL": at.get("milvus", ""),
            "BEHOLDEN_POLICY_URL": at.get("opa", f"file:{place}/policies"),
            "BEHOLDEN_POLICIES": f"{place}/policies",
            "BEHOLDEN_LEDGER_URL": at.get("postgres", f"sqlite:///{place}/ledger.db"),
            "BEHOLDEN_LEDGER__KEY_FILE": f"{place}/ledger.key",
            "BEHOLDEN_REVIEWS__KEY_FILE": f"{place}/reviews.key",
            "BEHOLDEN_JOBS__KEY_FILE": f"{place}/jobs.key",
            "BEHOLDEN_VIDEO__SPOOL": f"{place}/spool",
            "BEHOLDEN_GUARD__IDENTITY__KEY_FILE": f"{place}/identity.key",
            "BEHOLDEN_MODEL_REPOSITORY": str(MODELS),
            "BEHOLDEN_NOTICE_SECONDS": str(notice),
        }
        # Milvus Lite belongs to one process; two of search want a server.
        services = tuple(one for one in SERVICES if "milvus" in at or one != "search")
        yield Cluster(place, env, "opa" in at, services)
    finally:
        stack.down()


async def run(place: Cluster, callers: int) -> tuple[list[Row], list[str]]:
    """The table, and what was wrong with the ledger's account of the law's change."""
    rows = {name: Row(name) for name in place.services}
    pods: dict[str, list[Pod]] = {name: [] for name in rows}
    addresses = {name: ports(3) for name in rows}
    try:
        for name, row in rows.items():
            for address in addresses[name][:2]:
                pods[name].append(place.pod(name, address))
                row.ready.append(await pods[name][-1].start())
        await _idle(rows, pods)
        async with AsyncExitStack() as stack:
            channels = {
                f"beholden.v1.{name.capitalize()}Service": await stack.enter_async_context(
                    balancing(at, f"beholden.v1.{name.capitalize()}Service")
                )
                for name, at in addresses.items()
            }
            channels["google.longrunning.Operations"] = channels["beholden.v1.VideoService"]
            asked: Any = Routed(channels)
            every = {
                **await prepare(asked, place.headers()),
                "AnalyzeVideo": analysed(asked, place.headers()),
            }
            asks = {name: every[ASKED[name]] for name in rows}
            await _restart(place, rows, pods, addresses, asks, callers)
            wrong = await _change(place, rows, asks, callers)
    finally:
        for pod in (pod for some in pods.values() for pod in some):
            await pod.leave()
    return list(rows.values()), wrong


async def _idle(rows: Mapping[str, Row], pods: Mapping[str, Sequence[Pod]]) -> None:
    seconds = 10.0
    before = {name: [pod.held()[1] for pod in pods[name]] for name in rows}
    await asyncio.sleep(seconds)
    for name, row in rows.items():
        held = [pod.held() for pod in pods[name]]
        row.processes = len(held)
        row.idle = int(mean(memory for memory, _ in held))
        used = [cpu - old for (_, cpu), old in zip(held, before[name], strict=True)]
        row.cpu = mean(used) / seconds


async def _restart(
    place: Cluster,
    rows: Mapping[str, Row],
    pods: dict[str, list[Pod]],
    addresses: Mapping[str, Sequence[str]],
    asks: Mapping[str, Ask],
    callers: int,
) -> None:
    """Replaces both processes of each service, one more at a time, while its callers ask."""
    for name, row in rows.items():
        free = addresses[name][2]
        async with load([asks[name]], callers) as seen:
            for _ in range(2):
                fresh = place.pod(name, free)
                pods[name].append(fresh)
                row.ready.append(await fresh.start())
                old = pods[name].pop(0)
                free = old.unit.address
                row.drain.append(await old.leave())
            await asyncio.sleep(1)
        row.answered, row.failed = seen.pop("OK", 0), dict(seen)


async def _change(
    place: Cluster, rows: Mapping[str, Row], asks: Mapping[str, Ask], callers: int
) -> list[str]:
    """Changes the law while all callers ask; what the ledger says that should not be."""
    begun = time.time_ns()
    async with AsyncExitStack() as stack:
        seen: dict[str, Counter[str]] = {
            name: await stack.enter_async_context(load([asks[name]], callers)) for name in rows
        }
        await asyncio.sleep(3)
        place.ban()
        while not seen[BANNED][REFUSED]:
            await asyncio.sleep(0.05)
        await asyncio.sleep(5)
    for name, row in rows.items():
        row.changing = seen[name].pop("OK", 0) + seen[name].pop(REFUSED, 0)
        row.changing_failed = dict(seen[name])
    return _mixed(place.records(), begun)


def _mixed(records: Iterator[Mapping[str, Any]], begun: int) -> list[str]:
    """What there is besides two laws, of which each process keeps one and then the other."""
    verdicts: dict[str, set[bool]] = {}
    refused: set[str] = set()
    wrong = []
    for record in records:
        decision = record.get("body", {}).get("decision")
        if not decision or record["action"] != "face.embed" or record["time_ns"] < begun:
            continue
        verdicts.setdefault(decision["revision"], set()).add(record["allowed"])
        if not record["allowed"]:
            refused.add(record["writer"])
        elif record["writer"] in refused:
            wrong.append(f"{record['id']} is under the law that was replaced")
    if sorted(map(sorted, verdicts.values())) != [[False], [True]]:
        wrong += [f"{revision}: allowed {sorted(said)}" for revision, said in verdicts.items()]
    return wrong


def show(rows: Sequence[Row], wrong: Sequence[str], without: Sequence[str]) -> None:
    """The table for people."""
    table = Table(title="Restarted, and the law changed, under load")
    titles = ("service", "processes", "start to ready", "memory idle", "CPU idle", "drain")
    for title in (*titles, "restart: calls", "failed", "law: calls", "failed"):
        table.add_column(title, justify="right" if title != "service" else "left")
    for row in rows:
        table.add_row(
            row.service,
            str(row.processes),
            f"{mean(row.ready[:2]):.1f} s",
            f"{row.idle / 1e6:,.0f} MB",
            f"{row.cpu:.1%}",
            f"{max(row.drain):.1f} s",
            f"{row.answered:,}",
            _failed(row.failed),
            f"{row.changing:,}",
            _failed(row.changing_failed),
        )
    out = Console(width=140)
    out.print(table)
    if without:
        out.print(f"embedded twins in place of {', '.join(without)}")
    out.print("mixed-law calls: " + ("; ".join(wrong) or "none, by the ledger's own account"))


def _failed(codes: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {code}" for code, count in sorted(codes.items())) or "0"


def main() -> None:
    """Runs and shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callers", type=int, default=2, help="callers of each service")
    parser.add_argument("--notice", type=float, default=2, help="BEHOLDEN_NOTICE_SECONDS")
    parser.add_argument("--without", nargs="*", default=[], help="engines to leave out")
    chosen = parser.parse_args()
    without = sorted({*chosen.without, *(one.name for one in known(HOME) if not one.find())})
    with folder() as place, cluster(place, chosen.notice, without) as made:
        rows, wrong = asyncio.run(run(made, chosen.callers))
    show(rows, wrong, without)


if __name__ == "__main__":
    main()
