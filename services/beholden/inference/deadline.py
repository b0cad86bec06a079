"""When a call must have its answer."""

from __future__ import annotations

import asyncio

from beholden.core.errors import DeadlineExceeded


class Deadline:
    """`seconds` from now, by the running event loop's clock, for `what`."""

    def __init__(self, what: str, seconds: float) -> None:
        self._what = what
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.time() + seconds

    def left(self) -> float:
        """Seconds that are left. Raises DeadlineExceeded when there are none."""
        if (left := self._end - self._loop.time()) <= 0:
            raise DeadlineExceeded(f"{self._what} did not answer in time")
        return left
