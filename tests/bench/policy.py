"""`python -m tests.bench.policy`: what a decision, its record and the guard around them cost.

Decisions on OPA and in process with few and many tenants; a whole guarded call less an unguarded one;
appends to the ledger; how soon a changed law is in force. Compare within a run, not between runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from opentelemetry import metrics, trace
from rich.console import Console
from rich.table import Table

from beholden.core.law import Json
from beholden.core.ports import Ledger, PolicyEngine
from beholden.core.record import DECISION, Record
from beholden.guard.ids import decision_id
from beholden.guard.interceptor import Guard
from beholden.guard.settings import GuardSettings, IdentitySettings
from beholden.guard.tokens import mint
from beholden.ledger.open import open_ledger
from beholden.ledger.settings import LedgerSettings
from beholden.policy.open import open_policy
from beholden.policy.serving import BundleServer, keep_serving, opa_configuration
from beholden.policy.settings import PolicySettings
from beholden.v1 import search_pb2, search_pb2_grpc
from tests.contract.policy_engines import POLICIES, call, law, opa_following, opened
from tests.integration.guard.house import KEY, SECRET

Tenants = Mapping[str, Mapping[str, Json]]
ENGINES = ("opa-unix", "opa-http", "rego")
FACTS = call(purpose="editorial_research")
TIME = FACTS["time"]
TITLES = {"opa-unix": "OPA, unix socket", "opa-http": "OPA, TCP", "rego": "in process"}


def tenants(count: int) -> Tenants:
    """A registry of newsrooms, with a decision each."""
    return {
        f"newsroom-{number}": {"kind": "newsroom", "jurisdiction": "US-NY", "serves": []}
        for number in range(count)
    }


async def timed(ask: Callable[[int], Awaitable[object]], rounds: int) -> tuple[float, float]:
    """The p50 and p99 in ms of asking so often, one after another, after a tenth of that unmeasured."""
    for number in range(rounds // 10):
        await ask(number)
    took = []
    for number in range(rounds):
        begin = time.perf_counter()
        await ask(number)
        took.append((time.perf_counter() - begin) * 1000)
    return statistics.median(took), statistics.quantiles(took, n=100)[98]


async def decisions(engine: PolicyEngine, registry: Tenants, rounds: int) -> tuple[float, float]:
    """One decision, by a tenant after the other."""
    known = [{**record, "id": name} for name, record in registry.items()]

    async def ask(number: int) -> None:
        tenant = known[number % len(known)]
        decision = await engine.decide(
            {**FACTS, "tenant": tenant, "time": {**TIME, "ns": time.time_ns()}}
        )
        assert decision.allowed

    return await timed(ask, rounds)


class Searches(search_pb2_grpc.SearchServiceServicer):
    """Finds nobody, at once."""

    async def SearchFaces(  # noqa: N802 - its name in gRPC
        self, request: Any, context: Any
    ) -> search_pb2.SearchFacesResponse:
        """Answers nothing."""
        return search_pb2.SearchFacesResponse()


@asynccontextmanager
async def guarded(
    policy: PolicyEngine, ledger: Ledger, registry: Tenants, folder: Path
) -> AsyncIterator[tuple[Callable[[int], Awaitable[object]], Callable[[int], Awaitable[object]]]]:
    """A guarded call and an unguarded one, of a server on a socket."""
    (folder / "key").write_bytes(SECRET)
    guard = Guard(
        [search_pb2.DESCRIPTOR.services_by_name["SearchService"]],
        policy=policy,
        ledger=ledger,
        tenants=registry,
        settings=GuardSettings(identity=IdentitySettings(key_file=folder / "key")),
        tracer=trace.get_tracer("bench"),
        meter=metrics.get_meter("bench"),
        reflection=False,
    )
    server = grpc.aio.server(interceptors=[guard])
    search_pb2_grpc.add_SearchServiceServicer_to_server(Searches(), server)
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    names = list(registry)[:100]
    headers = [
        (
            ("authorization", f"Bearer {mint(KEY, principal='ada', tenant=name)}"),
            ("beholden-purpose", "editorial_research"),
        )
        for name in names
    ]
    request = search_pb2.SearchFacesRequest(
        name="collections/staff/faces/00000000-0000-7000-8000-000000000000",
    )
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        search = search_pb2_grpc.SearchServiceStub(channel)
        check = health_pb2_grpc.HealthStub(channel)
        yield (
            lambda number: search.SearchFaces(request, metadata=headers[number % len(headers)]),
            lambda _: check.Check(health_pb2.HealthCheckRequest()),
        )
    await server.stop(None)
    await guard.drain()


async def appends(ledger: Ledger, rounds: int, at_once: int) -> float:
    """Records a second that are durable, with so many that wait at a time."""

    async def one() -> None:
        for _ in range(rounds // at_once):
            now = time.time_ns()
            body: dict[str, Json] = {"rpc": "/beholden.v1.SearchService/SearchFaces"}
            record = Record(
                decision_id(now),
                DECISION,
                now,
                "t",
                "p",
                "face.search",
                True,
                body | {"facts": FACTS},
            )
            await ledger.append(record)

    begin = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(at_once)))
    return rounds // at_once * at_once / (time.perf_counter() - begin)


def disk(folder: Path, rounds: int = 300) -> float:
    """Milliseconds that the disk takes to keep 4 KiB, at the median: each append waits for it once."""
    took = []
    with (folder / "disk").open("wb", buffering=0) as file:
        file.write(bytes(1 << 16))
        os.fdatasync(file)
        for number in range(rounds):
            begin = time.perf_counter()
            os.pwrite(file.fileno(), bytes(4096), number % 16 * 4096)
            os.fdatasync(file)
            took.append((time.perf_counter() - begin) * 1000)
    return statistics.median(took)


async def reloads(rounds: int, folder: Path) -> Mapping[str, Sequence[float]]:
    """Seconds from a changed file to the first decision under it, in process and on an OPA that follows."""
    place = Path(shutil.copytree(POLICIES, folder / "policies"))
    adopted = place / "law/regimes/data.json"
    found: dict[str, list[float]] = {"in process": [], "OPA, served by policy serve": []}
    async with AsyncExitStack() as stack:
        rego = await open_policy(f"file:{place}")
        stack.push_async_callback(rego.close)
        server = stack.enter_context(BundleServer("127.0.0.1", 0))
        told = asyncio.Event()
        task = asyncio.create_task(
            keep_serving(server, place, None, PolicySettings().watch, lambda _: told.set())
        )
        stack.callback(task.cancel)
        await told.wait()
        url = stack.enter_context(opa_following(opa_configuration(server.url, None), folder))
        opa = await open_policy(url)
        stack.push_async_callback(opa.close)

        async def seen(engine: PolicyEngine, name: str, revision: str, begin: float) -> None:
            await engine.changed(revision)
            found[name].append(time.perf_counter() - begin)

        for number in range(rounds):
            revision = (await rego.decide(call())).revision
            assert revision == (await opa.decide(call())).revision
            begin = time.perf_counter()
            adopted.write_text(json.dumps({"adopted": [[], ["ibm-2020"]][number % 2]}))
            await asyncio.gather(
                *(
                    seen(engine, name, revision, begin)
                    for engine, name in zip((rego, opa), found, strict=True)
                )
            )
    return found


async def main() -> None:
    """Prints the tables, as docs/benchmarks.md has them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--reloads", type=int, default=5)
    chosen = parser.parse_args()
    console = Console(width=110)
    with tempfile.TemporaryDirectory(prefix="beholden-bench-") as name:
        shown = Table(
            "engine", "tenants", "decision p50", "p99", "guard, decision, ledger p50", "p99"
        )
        for kind in ENGINES:
            for count in (10, 10_000):
                folder = Path(name) / f"{kind}-{count}"
                folder.mkdir()
                registry = tenants(count)
                ledger = await open_ledger(
                    f"sqlite:///{folder}/ledger.db", LedgerSettings(key_file=folder / "ledger.key")
                )
                async with (
                    opened(kind, law(), folder) as engine,
                    guarded(engine, ledger, registry, folder) as (call_guarded, call_open),
                ):
                    alone = await decisions(engine, registry, chosen.rounds)
                    floor = await timed(call_open, chosen.rounds)
                    whole = await timed(call_guarded, chosen.rounds)
                await ledger.close()
                cost = [f"{ms:.2f}" for ms in (*alone, whole[0] - floor[0], whole[1] - floor[0])]
                shown.add_row(TITLES[kind], f"{count:,}", *cost)
        console.print(shown)
        folder = Path(name)
        ledger = await open_ledger(
            f"sqlite:///{folder}/ledger.db", LedgerSettings(key_file=folder / "ledger.key")
        )
        for at_once in (1, 64):
            rate = await appends(ledger, chosen.rounds * 4, at_once)
            console.print(f"SQLite ledger, durable, {at_once} waiting: {rate:,.0f} appends/s")
        await ledger.close()
        console.print(f"the disk alone keeps 4 KiB in {disk(folder):.2f} ms; a call waits for two")
        for engine, seconds in (await reloads(chosen.reloads, folder)).items():
            console.print(
                f"law in force after, {engine}: median {statistics.median(seconds):.2f} s,"
                f" most {max(seconds):.2f} s"
            )


if __name__ == "__main__":
    asyncio.run(main())
