"""`python -m tests.bench.postures`: how people in group photographs are told to hold themselves."""

from __future__ import annotations

import asyncio

from rich.console import Console
from rich.table import Table

from beholden.vision.postures import LYING, SITTING, STANDING
from tests.analyses import analyst
from tests.postures import OTHERWISE, SITS, SITS_BELOW, told


async def _counted() -> Table:
    async with analyst() as here:
        counts = await told(here, *SITS_BELOW)
    table = Table(title=f"People in {len(SITS_BELOW)} photographs, by eye and as told")
    columns = (SITTING, STANDING, LYING, "nothing", "hand")
    for title in ("by eye", *columns):
        table.add_column(title)
    for eye in (SITS, OTHERWISE):
        table.add_row(eye, *(str(counts[eye, column]) for column in columns))
    return table


if __name__ == "__main__":
    Console().print(asyncio.run(_counted()))
