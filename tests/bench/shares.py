"""Where a call's time goes: what is awaited of each engine, within what the servicer takes, within the call.

The services run in this process, their engines wrapped by stopwatches; one caller at a time, so that
the sums are those of one call.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc

from beholden.guard import interceptor
from beholden.runtime import server, wiring
from beholden.runtime.settings import Settings
from tests.bench.calls import prepare
from tests.house import headers

_ASK_THE_LAW = {"ExplainAccess", "GetPolicyStatus"}
"""Left out: they ask the policy within the servicer too, so that the parts would not add up."""


class Stopwatch:
    """Any port; the time in which any of its coroutines runs is added up under `name`."""

    def __init__(self, inner: Any, name: str, spent: Counter[str]) -> None:
        self._inner, self._name, self._spent = inner, name, spent
        self._running, self._since = 0, 0.0

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._inner, attribute)
        if not asyncio.iscoroutinefunction(found):
            return found

        async def timed(*args: Any, **kwargs: Any) -> Any:
            if not self._running:
                self._since = time.perf_counter()
            self._running += 1
            try:
                return await found(*args, **kwargs)
            finally:
                self._running -= 1
                if not self._running:
                    self._spent[self._name] += time.perf_counter() - self._since

        return timed


@asynccontextmanager
async def watched(settings: Settings) -> AsyncIterator[tuple[grpc.aio.Channel, Counter[str]]]:
    """A server over the engines of `settings`, each under a stopwatch, and a channel to it."""
    spent: Counter[str] = Counter()
    opened = {
        "open_policy": "policy",
        "open_ledger": "ledger",
        "open_inference": "inference",
        "open_store": "store",
    }
    originals = {name: getattr(wiring, name) for name in opened}

    def watching(open_: Callable[..., Any], name: str) -> Callable[..., Any]:
        async def watched_open(*args: Any, **kwargs: Any) -> Stopwatch:
            return Stopwatch(await open_(*args, **kwargs), name, spent)

        return watched_open

    handler = interceptor.handler

    async def timed_handler(call: Any) -> Any:
        begin = time.perf_counter()
        try:
            return await handler(call)
        finally:
            spent["servicer"] += time.perf_counter() - begin

    for name, called in opened.items():
        setattr(wiring, name, watching(originals[name], called))
    interceptor.handler = timed_handler  # type: ignore[attr-defined]
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(server.serve(settings, ready=ready.set_result))
    try:
        await asyncio.wait((ready, serving), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        async with grpc.aio.insecure_channel(ready.result()) as channel:
            yield channel, spent
    finally:
        serving.cancel()
        await asyncio.wait((serving,))
        interceptor.handler = handler  # type: ignore[attr-defined]
        for name, original in originals.items():
            setattr(wiring, name, original)


async def shares(settings: Settings, tenant: str, calls: int) -> Mapping[str, Mapping[str, float]]:
    """For each RPC: milliseconds a call, and the share of each part in it."""
    async with watched(settings) as (channel, spent):
        who = headers(
            settings.guard.identity.key_file, tenant, "editorial_research", roles=["operator"]
        )
        asks = await prepare(channel, who)
        found = {}
        for rpc, ask in asks.items():
            if rpc in _ASK_THE_LAW:
                continue
            await ask()
            spent.clear()
            begin = time.perf_counter()
            for _ in range(calls):
                await ask()
            total = time.perf_counter() - begin
            found[rpc] = {
                "ms": total / calls * 1e3,
                "policy": spent["policy"] / total,
                "ledger": spent["ledger"] / total,
                "inference": spent["inference"] / total,
                "store": spent["store"] / total,
                "own": (spent["servicer"] - spent["inference"] - spent["store"]) / total,
            }
            found[rpc]["guard and wire"] = 1 - sum(
                share for part, share in found[rpc].items() if part != "ms"
            )
        return found
