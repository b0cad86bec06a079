"""Batches of a stream, and what is worked on at a time."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from beholden.search.streams import batches, mapped


async def numbers(count: int) -> AsyncGenerator[int]:
    for number in range(count):
        yield number


async def test_batches_are_full_where_there_is_enough() -> None:
    assert [batch async for batch in batches(numbers(7), 3, 10)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [batch async for batch in batches(numbers(0), 3, 10)] == []


async def test_a_lonely_item_does_not_wait_for_others() -> None:
    more = asyncio.Event()

    async def slow() -> AsyncGenerator[int]:
        yield 1
        await more.wait()
        yield 2

    source = batches(slow(), 3, 0)
    assert await anext(source) == [1]
    more.set()
    assert await anext(source) == [2]
    await source.aclose()


async def test_answers_come_in_order_and_few_are_begun() -> None:
    begun: list[int] = []
    gates = [asyncio.Event() for _ in range(6)]

    async def work(number: int) -> int:
        begun.append(number)
        await gates[number].wait()
        return number

    source = mapped(numbers(6), work, 3)
    first = asyncio.ensure_future(anext(source))
    for gate in gates[1:]:
        gate.set()
    for _ in range(50):
        await asyncio.sleep(0)
    assert not first.done()
    assert begun == [0, 1, 2], "those after the first are done, and wait to be told after it"
    gates[0].set()
    assert [await first, *[one async for one in source]] == [0, 1, 2, 3, 4, 5]


async def test_what_was_begun_is_answered_before_a_broken_stream_ends() -> None:
    async def broken() -> AsyncGenerator[int]:
        yield 1
        yield 2
        raise ValueError("torn")

    async def work(number: int) -> int:
        await asyncio.sleep(0)
        return number

    source = mapped(batches_of_one(broken()), work, 2)
    assert [await anext(source), await anext(source)] == [1, 2]
    with pytest.raises(ValueError, match="torn"):
        await anext(source)


async def test_nothing_goes_on_for_a_caller_who_left() -> None:
    ended = []

    async def work(number: int) -> int:
        if not number:
            return number
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)
        return number

    source = mapped(numbers(3), work, 2)
    assert await anext(source) == 0
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await source.aclose()
    assert ended == [1]


async def batches_of_one(source: AsyncGenerator[int]) -> AsyncGenerator[int]:
    async for batch in batches(source, 1, 0):
        yield batch[0]
