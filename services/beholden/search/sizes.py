"""How many a gallery holds, as a search tells it: counting a large one takes longer than searching it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

_LARGE = 10_000
_MOST_KNOWN = 10_000
_SECONDS = 60.0


class Sizes:
    """A gallery of 10,000 or more is counted once a minute, a smaller one whenever it is asked for.

    What it is for, the chance of a false hit, is known much less exactly than a minute's enrolments
    change it. `count` is of a tenant and a collection; `clock` is in seconds.
    """

    def __init__(
        self,
        count: Callable[[str, str], Awaitable[int]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._count = count
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, int]] = {}

    async def of(self, tenant: str, collection: str) -> int:
        """Raises NotFound."""
        now = self._clock()
        until, size = self._known.get((tenant, collection), (now, 0))
        if now < until:
            return size
        size = await self._count(tenant, collection)
        self._known.pop((tenant, collection), None)
        if size >= _LARGE:
            self._known[tenant, collection] = (now + _SECONDS, size)
            if len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]
        return size
