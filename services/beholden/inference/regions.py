"""Shared memory that this process and a Triton on the same host both map, kept and lent out again.

A region's name is unlinked as soon as Triton has mapped it, so that a crash on either side leaves
nothing behind in /dev/shm. A region is lent again only when its call ended well: after a cancelled
call Triton may still be writing into it, and the next caller would read another's answer. Triton
itself says when it is done: it refuses to unregister a region that is in use.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

from beholden.core.errors import BeholdenError

_PREFIX = "beholden"
_SMALLEST = 1 << 20
_LAST_TRIES, _PAUSE = 10, 0.02

Register = Callable[[str, str, int, float], Awaitable[None]]
"""Takes the region's name, its key in /dev/shm, its size in bytes, and seconds."""

Unregister = Callable[[str, float], Awaitable[None]]
"""Takes the region's name and seconds; raises while Triton uses it, not when it does not know it."""


def abandoned(name: str) -> bool:
    """Whether the region called `name` was registered by a process like this one that is gone."""
    prefix, _, rest = name.partition("-")
    pid = rest.partition("-")[0]
    return prefix == _PREFIX and pid.isdigit() and not Path("/proc", pid).exists()


@dataclass(frozen=True, slots=True)
class Region:
    """One mapped region, registered with Triton as `name`."""

    name: str
    memory: SharedMemory


class Regions:
    """Lends regions; `register` and `unregister` are Triton's calls, raising BeholdenError."""

    def __init__(self, register: Register, unregister: Unregister, limit: int) -> None:
        """`limit` is the most bytes mapped at a time; 0: nothing is lent."""
        self._register = register
        self._unregister = unregister
        self._limit = limit
        self._mapped = 0
        self._free: defaultdict[int, list[Region]] = defaultdict(list)
        self._retired: list[Region] = []

    @asynccontextmanager
    async def lend(self, size: int, timeout: float) -> AsyncIterator[Region | None]:
        """A region of at least `size` bytes, or None when the limit is reached. Raises BeholdenError."""
        size = max(_SMALLEST, 1 << (size - 1).bit_length())
        free = self._free[size]
        region = free.pop() if free else await self._made(size, timeout)
        if region is None:
            yield None
            return
        try:
            yield region
        except BaseException:
            self._retired.append(region)
            raise
        free.append(region)

    def forget(self) -> None:
        """Lends nothing again that was made before: Triton may have been started anew."""
        for free in self._free.values():
            self._retired += free
            free.clear()

    async def close(self, timeout: float) -> None:
        """Unregisters and unmaps everything; what Triton does not let go of ends with it."""
        self.forget()
        for _ in range(_LAST_TRIES):
            await self._sweep(timeout)
            if not self._retired:
                break
            # A region counts as in use for a moment after its answer came.
            await asyncio.sleep(_PAUSE)
        for region in self._retired:
            self._unmap(region)
        self._retired.clear()

    async def _made(self, size: int, timeout: float) -> Region | None:
        if self._retired:
            await self._sweep(timeout)
        if self._mapped + size > self._limit:
            return None
        memory = SharedMemory(create=True, size=size)
        region = Region(f"{_PREFIX}-{os.getpid()}-{secrets.token_hex(4)}", memory)
        self._mapped += size
        try:
            await self._register(region.name, f"/{memory.name}", size, timeout)
        except BaseException:
            self._retired.append(region)
            raise
        finally:
            memory.unlink()
        return region

    async def _sweep(self, timeout: float) -> None:
        """Unmaps of the retired regions those that Triton no longer uses."""
        for region in tuple(self._retired):
            try:
                await self._unregister(region.name, timeout)
            except BeholdenError:
                continue
            if region in self._retired:
                self._retired.remove(region)
                self._unmap(region)

    def _unmap(self, region: Region) -> None:
        self._mapped -= region.memory.size
        region.memory.close()
