"""Group commit, with a commit that the test opens and closes like a gate."""

import asyncio
from collections.abc import Sequence
from threading import Event

import pytest

from beholden.core.errors import Unavailable
from beholden.ledger.commit import GroupCommit


class Gate:
    """A commit that waits to be let through; it remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.entered = Event()
        self.open = Event()

    def commit(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.entered.set()
        assert self.open.wait(20)
        if 13 in items:
            raise ValueError("unlucky")
        return [item * 10 for item in items]


def submit(group: GroupCommit[int, int], *items: int) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(group.submit(item, 20)) for item in items]


async def entered(gate: Gate) -> None:
    assert await asyncio.to_thread(gate.entered.wait, 20)


async def test_what_waits_shares_the_next_commit() -> None:
    gate = Gate()
    group = GroupCommit(gate.commit, most=4, waiting=100)
    first = submit(group, 0)
    await entered(gate)
    rest = submit(group, *range(1, 11))
    await asyncio.sleep(0)
    gate.open.set()
    assert await asyncio.gather(*first, *rest) == [i * 10 for i in range(11)]
    assert gate.batches == [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    await group.close()


async def test_a_failed_commit_fails_all_of_its_batch_and_no_other() -> None:
    gate = Gate()
    group = GroupCommit(gate.commit, most=3, waiting=100)
    tasks = submit(group, 1)
    await entered(gate)
    tasks += submit(group, 12, 13, 14, 15)
    await asyncio.sleep(0)
    gate.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [int, *[Unavailable] * 3, int]
    await group.close()


async def test_too_many_waiting_are_refused() -> None:
    gate = Gate()
    group = GroupCommit(gate.commit, most=1, waiting=2)
    tasks = submit(group, 0)
    await entered(gate)
    tasks += submit(group, 1, 2)
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="2 records are waiting"):
        await group.submit(3, 20)
    gate.open.set()
    assert await asyncio.gather(*tasks) == [0, 10, 20]
    await group.close()


async def test_out_of_time_and_cancelled_leave_the_others_alone() -> None:
    gate = Gate()
    group = GroupCommit(gate.commit, most=10, waiting=100)
    first = submit(group, 0)
    await entered(gate)
    late = asyncio.create_task(group.submit(1, 0.01))
    (cancelled, kept) = submit(group, 2, 3)
    with pytest.raises(Unavailable, match="within"):
        await late
    cancelled.cancel()
    gate.open.set()
    assert await asyncio.gather(*first, kept) == [0, 30]
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    await group.close()


async def test_close_commits_what_waits_and_refuses_what_comes() -> None:
    gate = Gate()
    group = GroupCommit(gate.commit, most=2, waiting=100)
    tasks = submit(group, 0)
    await entered(gate)
    tasks += submit(group, 1, 2, 3)
    await asyncio.sleep(0)
    closing = asyncio.create_task(group.close())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="closed"):
        await group.submit(4, 20)
    gate.open.set()
    await closing
    assert await asyncio.gather(*tasks) == [0, 10, 20, 30]
    await group.close()
