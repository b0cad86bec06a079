"""Notices that a law's files changed, cheaply and beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NoReturn

from beholden.policy.law import law_files

State = tuple[tuple[str, int, int, int], ...]
"""What tells one state of the files from another: each one's name, time, size and number."""


def law_state(place: Path) -> State:
    """The state of a folder's law or of a bundle; files that go meanwhile are left out."""
    found: list[tuple[str, int, int, int]] = []
    for path in [place] if place.is_file() else law_files(place):
        try:
            about = path.stat()
        except OSError:
            continue
        found.append((str(path), about.st_mtime_ns, about.st_size, about.st_ino))
    return tuple(found)


async def watch(
    state: Callable[[], State], changed: Callable[[], Awaitable[None]], every: float
) -> NoReturn:
    """Calls `changed` once at the start, and whenever the state is another and stays so for one look.

    Files that are still being written are left to settle: half an edit is another law.
    """
    taken: State | None = None
    seen = None
    while True:
        now = await asyncio.to_thread(state)
        if now != taken and (taken is None or now == seen):
            await changed()
            taken = now
        seen = now
        await asyncio.sleep(every)
