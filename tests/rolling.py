"""Load on several servers of one service through a client that balances, and what became of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import grpc

from beholden.engines.unit import free_port

Ask = Callable[[], Awaitable[object]]


def ports(count: int) -> list[str]:
    """Addresses of loopback that nothing listens on, each another."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return [f"127.0.0.1:{port}" for port in sorted(found)]


def balancing(addresses: Sequence[str], service: str) -> grpc.aio.Channel:
    """A channel that takes turns between the servers whose health says SERVING for `service`.

    As a client on Kubernetes has it, where a headless service's name stands for the addresses. It
    has no retry policy: what fails is seen.
    """
    config = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": service},
    }
    return grpc.aio.insecure_channel(
        f"ipv4:{','.join(addresses)}",
        [
            ("grpc.service_config", json.dumps(config)),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 200),
        ],
    )


@asynccontextmanager
async def load(asks: Sequence[Ask], callers: int) -> AsyncIterator[Counter[str]]:
    """So many callers of each of `asks`, one call after another; counts answers by status code.

    A refusal by policy is an answer too. Every call that was begun is counted when this ends.
    """
    seen: Counter[str] = Counter()
    over = asyncio.Event()

    async def caller(ask: Ask) -> None:
        while not over.is_set():
            try:
                await ask()
            except grpc.aio.AioRpcError as error:
                seen[error.code().name] += 1
            else:
                seen["OK"] += 1

    tasks = [asyncio.create_task(caller(ask)) for ask in asks for _ in range(callers)]
    try:
        yield seen
    finally:
        over.set()
        await asyncio.gather(*tasks)
