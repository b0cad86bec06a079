"""How much a tenant may keep."""

from __future__ import annotations

import time
from collections.abc import Callable

from beholden.core.errors import ResourceExhausted
from beholden.core.ports import FaceStore
from beholden.search.settings import Quota, SearchSettings

_PAGE = 1000
_SECONDS = 5.0


class Quotas:
    """Counts what is kept at most every five seconds, and in between what is added here.

    Several processes may together go over by what the others add meanwhile. A face that replaces
    itself counts as one more until the next count.
    """

    def __init__(
        self,
        store: FaceStore,
        settings: SearchSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._counted: dict[str, tuple[float, int]] = {}

    async def check_collection(self, tenant: str) -> None:
        """Whether there is room for one more. Raises ResourceExhausted."""
        most = self._of(tenant).collections
        if most is not None and len(await self._collections(tenant)) >= most:
            raise ResourceExhausted(f"{tenant} may keep {most} collections, and does")

    async def check_faces(self, tenant: str, more: int) -> None:
        """Whether there is room for `more`, which then count as there. Raises ResourceExhausted."""
        most = self._of(tenant).faces
        if most is None:
            return
        until, there = self._counted.get(tenant, (0.0, 0))
        if self._clock() >= until or there + more > most:
            there = 0
            for name in await self._collections(tenant):
                there += await self._store.count_faces(tenant, name)
            until = self._clock() + _SECONDS
        if there + more > most:
            self._counted[tenant] = (until, there)
            raise ResourceExhausted(f"{tenant} may keep {most} faces, and keeps {there}")
        self._counted[tenant] = (until, there + more)

    def _of(self, tenant: str) -> Quota:
        return self._settings.quotas.get(tenant, self._settings.quota)

    async def _collections(self, tenant: str) -> list[str]:
        names: list[str] = []
        token = ""
        while True:
            page = await self._store.list_collections(tenant, page_size=_PAGE, page_token=token)
            names += [one.id for one in page.items]
            if not (token := page.next_token):
                return names
