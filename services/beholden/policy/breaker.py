"""Stops asking an engine that does not answer, for a while, so that refusals come at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from beholden.core.errors import Unavailable


class Breaker:
    """After `failures` in a row it refuses for `pause` seconds, then lets one call through to see.

    For use on one event loop: nothing here waits, nothing is locked.
    """

    def __init__(
        self,
        engine: str,
        *,
        failures: int,
        pause: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._failed = 0
        self._closed_until = 0.0
        self._trying = False

    @contextmanager
    def guard(self, counts: type[Exception]) -> Iterator[None]:
        """Raises Unavailable instead of asking while it refuses; errors of type `counts` count."""
        trial = self._failed >= self._limit
        if trial and (self._trying or self._clock() < self._closed_until):
            left = max(self._closed_until - self._clock(), 0.1)
            raise Unavailable(self._engine, "does not answer and is left alone", retry_after=left)
        self._trying = trial
        try:
            yield
            self._failed = 0
        except counts:
            self._failed += 1
            self._closed_until = self._clock() + self._pause
            raise
        finally:
            if trial:
                self._trying = False
