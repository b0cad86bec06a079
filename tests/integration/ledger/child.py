"""A process of its own that appends without end and prints the id of each record once acknowledged."""

import asyncio
import resource
import sys

from beholden.core.errors import Unavailable
from tests.contract.children import files_may_grow_to
from tests.contract.ledgers import opened, record


async def append_for_ever(url: str) -> None:
    """Eight appenders at once; ends by being killed."""
    async with opened(url) as ledger:

        async def appender() -> None:
            while True:
                entry = await ledger.append(record())
                print(entry.record.id, flush=True)

        await asyncio.gather(*(appender() for _ in range(8)))


async def run_out_of_space(url: str) -> None:
    """Appends until no file may grow, then gives the space back and appends again."""
    async with opened(url) as ledger:
        files_may_grow_to(256 << 10)
        try:
            while True:
                entry = await ledger.append(record(body={"filler": "x" * 2000}))
                print(entry.record.id, flush=True)
        except Unavailable as error:
            print("refused:", error, file=sys.stderr, flush=True)
        files_may_grow_to(1)
        assert not await ledger.ready()
        files_may_grow_to(resource.RLIM_INFINITY)
        for _ in range(3):
            print((await ledger.append(record())).record.id, flush=True)
        assert await ledger.ready()


async def join(url: str) -> None:
    """Opens the ledger, perhaps as the first of many, and appends once."""
    async with opened(url) as ledger:
        print((await ledger.append(record())).record.id, flush=True)


if __name__ == "__main__":
    act = {act.__name__: act for act in (append_for_ever, run_out_of_space, join)}[sys.argv[1]]
    asyncio.run(act(sys.argv[2]))
