"""Works through a stream in batches: a bounded number at a time, answers in the stream's order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def batches(items: AsyncIterator[T], size: int, linger: float) -> AsyncGenerator[list[T]]:
    """`items` in lists of at most `size`; one that has waited `linger` seconds goes with what is there.

    At most `size` items are read ahead: whoever sends more waits.
    """
    queue: asyncio.Queue[T | None] = asyncio.Queue(size)

    async def read() -> None:
        try:
            async for item in items:
                await queue.put(item)
        finally:
            await queue.put(None)

    reader = asyncio.create_task(read())
    loop = asyncio.get_running_loop()
    try:
        while (first := await queue.get()) is not None:
            batch, until, more = [first], loop.time() + linger, True
            while more and len(batch) < size:
                try:
                    async with asyncio.timeout_at(until):
                        item = await queue.get()
                except TimeoutError:
                    break
                if item is None:
                    more = False
                else:
                    batch.append(item)
            yield batch
            if not more:
                break
        await reader
    finally:
        reader.cancel()


async def mapped(
    items: AsyncGenerator[T], work: Callable[[T], Awaitable[R]], ahead: int
) -> AsyncGenerator[R]:
    """`work` of each item, in their order, at most `ahead` at a time; the first error ends it.

    The next item is read only when there is room, and what was done is not held back for it. Where
    reading fails, what was begun is finished and answered first.
    """
    running: deque[asyncio.Future[R]] = deque()
    reading: asyncio.Future[T | None] | None = None
    ended, failure = False, None
    async with aclosing(items) as source:
        try:
            while True:
                if reading is None and not ended and len(running) < ahead:
                    reading = asyncio.ensure_future(anext(source, None))
                waited: set[asyncio.Future[Any]] = {
                    *([reading] if reading else ()),
                    *[*running][:1],
                }
                if not waited:
                    break
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                if reading is not None and reading.done():
                    failure = reading.exception()
                    item = None if failure else reading.result()
                    reading, ended = None, item is None
                    if item is not None:
                        running.append(asyncio.ensure_future(work(item)))
                while running and running[0].done():
                    yield running.popleft().result()
        finally:
            left = [one for one in (reading, *running) if one is not None]
            for one in left:
                one.cancel()
            await asyncio.gather(*left, return_exceptions=True)
    if failure is not None:
        raise failure
