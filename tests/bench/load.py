"""Closed-loop load: so many callers, each waiting for its answer before it asks again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import numpy as np

Ask = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Measured:
    """Latencies in milliseconds and answers per second of one run."""

    callers: int
    calls: int
    p50: float
    p95: float
    p99: float
    rate: float

    def row(self) -> dict[str, float]:
        """As JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


async def measure(ask: Ask, *, callers: int, seconds: float, warmup: int = 3) -> Measured:
    """Asks for `seconds` with `callers` at a time; an answer that fails ends the run."""
    for _ in range(warmup):
        await ask()
    spent: list[float] = []
    begin = time.perf_counter()
    end = begin + seconds

    async def caller() -> None:
        while (start := time.perf_counter()) < end:
            await ask()
            spent.append(time.perf_counter() - start)

    await asyncio.gather(*(caller() for _ in range(callers)))
    lasted = time.perf_counter() - begin
    p50, p95, p99 = np.percentile(np.array(spent) * 1e3, (50, 95, 99))
    return Measured(callers, len(spent), float(p50), float(p95), float(p99), len(spent) / lasted)
