"""Lets work on the same thing begin only when the earlier work on it is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager


class Turns:
    """Turns of one stream, taken in the order in which they are asked for, so that none waits in a ring."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Future[None]] = {}

    @asynccontextmanager
    async def of(self, keys: Sequence[str]) -> AsyncIterator[None]:
        """Waits until everybody is done who asked for one of `keys` before."""
        before = {self._last[key] for key in keys if key in self._last}
        done = asyncio.get_running_loop().create_future()
        self._last |= dict.fromkeys(keys, done)
        try:
            if before:
                await asyncio.wait(before)
            yield
        finally:
            done.set_result(None)
            for key in keys:
                if self._last.get(key) is done:
                    del self._last[key]
