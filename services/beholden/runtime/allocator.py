"""Has the C library keep what pictures took for the next ones, and give back what none has taken since."""

from __future__ import annotations

import asyncio
import ctypes
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

# glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_LARGE = 32 * 2**20  # the most that it takes
_ARENAS = 2


@asynccontextmanager
async def trimmed(seconds: float) -> AsyncIterator[None]:
    """Gives what is free back to the system every `seconds`, and in between keeps it for reuse.

    Left alone, glibc gives back what lies at the end of a heap, one a thread, which pictures of ever
    other sizes leave in pieces: memory grows by the hour. Mapping each picture by itself keeps it
    flat, but the system has to find and clear its pages each time (mallopt(3), malloc_trim(3)).
    Elsewhere than on glibc nothing is done.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    libc.mallopt(_ARENA_MAX, _ARENAS)
    libc.mallopt(_MMAP_THRESHOLD, _LARGE)
    libc.mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    trimming = asyncio.create_task(_trim(libc, seconds))
    try:
        yield
    finally:
        trimming.cancel()
        with suppress(asyncio.CancelledError):
            await trimming


async def _trim(libc: ctypes.CDLL, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        await asyncio.to_thread(libc.malloc_trim, 0)


def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return None
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
