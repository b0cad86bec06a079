"""Shared memory is lent again only when nobody can be writing into it."""

import asyncio
import os
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from beholden.core.errors import FailedPrecondition, Unavailable
from beholden.core.models import ModelSpec, TensorSpec
from beholden.inference.loans import Loan, Loans
from beholden.inference.regions import Regions, abandoned

MIB = 1 << 20
MODEL = ModelSpec(
    name="m",
    version=1,
    role="test",
    inputs=(TensorSpec("a", "uint8", (-1, -1)), TensorSpec("b", "uint8", (-1, -1))),
    outputs=(TensorSpec("y", "float32", (-1, -1)),),
)


class Server:
    """The two calls of Triton, with its rule that a region in use is not unregistered."""

    def __init__(self) -> None:
        self.mapped: dict[str, str] = {}
        self.using: set[str] = set()
        self.broken = False

    async def register(self, name: str, key: str, size: int, timeout: float) -> None:
        if self.broken:
            raise FailedPrecondition("cannot map")
        assert Path(f"/dev/shm{key}").stat().st_size == size
        assert Path(f"/dev/shm{key}").stat().st_mode & 0o077 == 0
        self.mapped[name] = key

    async def unregister(self, name: str, timeout: float) -> None:
        if self.broken or name in self.using:
            raise Unavailable("inference", "in use")
        self.mapped.pop(name, None)


def regions(server: Server, limit: int = 64 * MIB) -> Regions:
    return Regions(server.register, server.unregister, limit)


async def test_a_region_is_used_again_and_has_no_name_meanwhile() -> None:
    server = Server()
    pool = regions(server)
    async with pool.lend(100, 1) as first:
        assert first is not None
        assert not Path(f"/dev/shm/{first.memory.name}").exists()
        async with pool.lend(100, 1) as second:
            assert second is not None
            assert second.name != first.name
    async with pool.lend(MIB, 1) as third:
        assert third is not None
        assert third.name in {first.name, second.name}
    async with pool.lend(MIB + 1, 1) as larger:
        assert larger is not None
        assert larger.memory.size >= 2 * MIB
    await pool.close(1)
    assert not server.mapped


async def test_after_a_cancelled_call_it_waits_until_the_server_lets_go() -> None:
    server = Server()
    pool = regions(server, MIB)

    async def cancelled() -> str:
        with suppress(asyncio.CancelledError):
            async with pool.lend(100, 1) as region:
                assert region is not None
                server.using.add(region.name)
                raise asyncio.CancelledError
        return region.name

    left = await cancelled()
    async with pool.lend(100, 1) as other:
        assert other is None  # the limit is reached, and what is in use does not count as free
    server.using.clear()
    async with pool.lend(100, 1) as other:
        assert other is not None
        assert other.name != left
    assert left not in server.mapped
    await pool.close(1)


async def test_a_server_that_was_started_anew_gets_new_regions() -> None:
    server = Server()
    pool = regions(server)
    async with pool.lend(100, 1) as old:
        pass
    pool.forget()
    async with pool.lend(100, 1) as new:
        assert new.name != old.name
    await pool.close(1)


async def test_one_that_the_server_cannot_map_leaves_nothing() -> None:
    server = Server()
    server.broken = True
    pool = regions(server)
    before = set(Path("/dev/shm").glob("psm_*"))
    with pytest.raises(FailedPrecondition):
        async with pool.lend(100, 1):
            pass
    assert set(Path("/dev/shm").glob("psm_*")) <= before
    await pool.close(1)


async def test_without_a_limit_nothing_is_lent() -> None:
    server = Server()
    async with regions(server, 0).lend(1, 1) as region:
        assert region is None
    assert not server.mapped


def test_only_what_the_dead_have_left_is_abandoned() -> None:
    assert not abandoned(f"beholden-{os.getpid()}-00ff")
    assert abandoned(f"beholden-{2**22 + 1}-00ff")
    assert not abandoned(f"someone-{2**22 + 1}-00ff")
    assert not abandoned("beholden-")
    assert not abandoned("beholden-x-1")


async def test_tensors_do_not_overlap_and_come_back_whole() -> None:
    pool = regions(Server())
    loans = Loans(pool)
    batch = {
        "a": np.arange(400_001, dtype=np.uint8).reshape(1, -1)[:, ::-1],
        "b": np.full((1, 7), 9, np.uint8),
    }
    async with loans.lend(MODEL, batch, 1) as loan:
        assert loan is None  # nothing is known of the answer yet
    answer = {"y": np.arange(12, dtype=np.float32).reshape(3, 4)}
    loans.learn(MODEL, batch, answer)
    async with loans.lend(MODEL, batch, 1) as loan:
        assert isinstance(loan, Loan)
        places = [loan.write(name, tensor) for name, tensor in batch.items()]
        places.append(loan.place("y", "float32"))
        spans = sorted((offset, offset + size) for _, size, offset in places)
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))
        buffer = np.frombuffer(loan.region.memory.buf, np.uint8)
        for (_, size, offset), tensor in zip(places, batch.values(), strict=False):
            assert buffer[offset : offset + size].tobytes() == tensor.tobytes()
        del buffer
        _, size, offset = places[-1]
        loan.region.memory.buf[offset : offset + size] = answer["y"].tobytes()
        read = loan.read("y", "float32")
        loan.region.memory.buf[offset : offset + size] = bytes(size)
        np.testing.assert_array_equal(read, answer["y"])
    small = {name: tensor[:, :3] for name, tensor in batch.items()}
    loans.learn(MODEL, small, answer)
    async with loans.lend(MODEL, small, 1) as loan:
        assert loan is None  # not worth it
    loans.forget()
    async with loans.lend(MODEL, batch, 1) as loan:
        assert loan is None
    await pool.close(1)
