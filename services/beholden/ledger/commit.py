"""Group commit: one thread, one queue, one commit for all that wait."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

from beholden.core.errors import BeholdenError, Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Item, Result]):
    item: Item
    answer: asyncio.Future[Result]
    loop: asyncio.AbstractEventLoop


class GroupCommit(Generic[Item, Result]):
    """Hands what is waiting to `commit`, at most `most` at a time, and answers when it returns.

    While one commit runs the next one's items gather, so that the rate of commits sets the
    latency and not the throughput. What `commit` raises is raised to every item of its batch.
    """

    def __init__(
        self, commit: Callable[[Sequence[Item]], Sequence[Result]], *, most: int, waiting: int
    ) -> None:
        self._commit = commit
        self._most = most
        self._capacity = waiting
        self._queue: SimpleQueue[_Waiting[Item, Result] | None] = SimpleQueue()
        self._closed = False
        self._thread = Thread(target=self._run, name="ledger-commit", daemon=True)
        self._thread.start()

    async def submit(self, item: Item, timeout: float) -> Result:
        """What `commit` gave for `item`. Raises Unavailable when closed, full or out of time."""
        if self._closed:
            raise Unavailable("ledger", "is closed")
        if self._queue.qsize() >= self._capacity:
            raise Unavailable("ledger", f"{self._capacity} records are waiting")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        self._queue.put(_Waiting(item, answer, loop))
        try:
            return await asyncio.wait_for(answer, timeout)
        except TimeoutError:
            raise Unavailable("ledger", f"did not commit within {timeout:g} s") from None

    async def close(self) -> None:
        """Commits what waits; further items are refused."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            last = False
            while len(batch) < self._most and not last:
                try:
                    following = self._queue.get_nowait()
                except Empty:
                    break
                last = following is None
                if following is not None:
                    batch.append(following)
            self._settle(batch)
            if last:
                return

    def _settle(self, batch: Sequence[_Waiting[Item, Result]]) -> None:
        results: Sequence[Result | BaseException]
        try:
            results = self._commit([waiting.item for waiting in batch])
        except BeholdenError as error:
            results = [error] * len(batch)
        except Exception as error:  # noqa: BLE001 the thread must live on, and nobody be acknowledged
            results = [Unavailable("ledger", type(error).__name__)] * len(batch)
        answers = defaultdict(list)
        for waiting, result in zip(batch, results, strict=True):
            answers[waiting.loop].append((waiting.answer, result))
        for loop, pairs in answers.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_answer, pairs)


def _answer(
    pairs: Sequence[tuple[asyncio.Future[Result], Result | BaseException]],
) -> None:
    for future, result in pairs:
        if future.done():
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)
