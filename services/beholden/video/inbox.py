"""Frames that wait to be looked at: few and young, since old ones give way to new ones."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from beholden.core.video import Frame


@dataclass(frozen=True, slots=True)
class Dropped:
    """Frames that nobody looked at, from the first of them to the last."""

    count: int
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class Taken:
    """Frames, the oldest first, and those that gave way before them."""

    frames: list[Frame]
    dropped: Dropped | None


class Inbox:
    """At most `frames` frames and `size` bytes, none older than `seconds` but the newest.

    Any thread may put; frames are taken on the loop that made it.
    """

    def __init__(
        self,
        *,
        frames: int,
        size: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = frames
        self._most_bytes = size
        self._seconds = seconds
        self._clock = clock
        self._waiting: deque[tuple[Frame, int, float]] = deque()
        self._bytes = 0
        self._dropped: Dropped | None = None
        self._ended = False
        self._error: BaseException | None = None
        self._lock = Lock()
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()

    def put(self, frame: Frame, size: int) -> bool:
        """Adds a frame of so many bytes, in the place of older ones; False once it has ended."""
        with self._lock:
            if self._ended:
                return False
            self._waiting.append((frame, size, self._clock()))
            self._bytes += size
            while len(self._waiting) > self._most or (
                self._bytes > self._most_bytes and len(self._waiting) > 1
            ):
                self._drop()
            first = len(self._waiting) == 1
        if first:
            self._wake()
        return True

    def end(self, error: BaseException | None = None) -> None:
        """No more frames come; with an `error` those that wait are not given any more."""
        with self._lock:
            if self._ended:
                return
            self._ended, self._error = True, error
        self._wake()

    async def take(self, most: int) -> Taken | None:
        """The next frames, waiting for one; None when there will be none. Raises what it ended with."""
        while True:
            self._ready.clear()
            with self._lock:
                if self._error is not None:
                    raise self._error
                oldest = self._clock() - self._seconds
                while len(self._waiting) > 1 and self._waiting[0][2] < oldest:
                    self._drop()
                if self._waiting:
                    return self._given(most)
                if self._ended:
                    return None
            await self._ready.wait()

    def _given(self, most: int) -> Taken:
        frames: list[Frame] = []
        while self._waiting and len(frames) < most:
            frame, size, _ = self._waiting.popleft()
            self._bytes -= size
            frames.append(frame)
        dropped, self._dropped = self._dropped, None
        return Taken(frames, dropped)

    def _drop(self) -> None:
        frame, size, _ = self._waiting.popleft()
        self._bytes -= size
        before = self._dropped
        self._dropped = Dropped(
            1 if before is None else before.count + 1,
            frame.time_us if before is None else before.first_us,
            frame.time_us,
        )

    def _wake(self) -> None:
        self._loop.call_soon_threadsafe(self._ready.set)
