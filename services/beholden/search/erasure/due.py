"""Removes the faces whose time has come, of every tenant."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from beholden.core.errors import NotFound
from beholden.core.gallery import DueFace
from beholden.core.ports import FaceStore

Revoked = Collection[tuple[str, str]]
"""Issuer and id of consents; a tenant's own, which nobody signed, has the issuer `tenants/{tenant}`."""

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Swept:
    """How many faces went from one collection."""

    tenant: str
    collection: str
    faces: int


class SweptFaces:
    """Finds and removes; `clock` is Unix time in nanoseconds."""

    def __init__(self, store: FaceStore, clock: Callable[[], int] = time.time_ns) -> None:
        self._store = store
        self._clock = clock

    async def expired(self) -> list[Swept]:
        """Removes what has expired by now."""
        now = self._clock()
        # Up to this instant: what expires at it is in no answer any more.
        return await self._all(lambda: self._due(now + 1, ()))

    async def revoked(self, revoked: Revoked) -> list[Swept]:
        """Removes what rests on a consent that was revoked."""
        ids = sorted({consent for _, consent in revoked})
        swept: list[Swept] = []
        for first in range(0, len(ids), _PAGE):
            some = ids[first : first + _PAGE]

            async def due(some: Sequence[str] = some) -> Sequence[DueFace]:
                return [one for one in await self._due(0, some) if _issued(one) in revoked]

            swept += await self._all(due)
        return swept

    async def next_expiry(self, before_ns: int) -> int:
        """When the next face expires, Unix nanoseconds; `before_ns` where none does before."""
        due = await self._due(before_ns, ())
        return min((one.face.provenance.expire_ns for one in due), default=before_ns)

    async def _due(self, before_ns: int, consents: Sequence[str]) -> Sequence[DueFace]:
        return await self._store.due_faces(before_ns=before_ns, consents=consents, limit=_PAGE)

    async def _all(self, due: Callable[[], Awaitable[Sequence[DueFace]]]) -> list[Swept]:
        counts = Counter[tuple[str, str]]()
        while found := await due():
            places: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
            for one in found:
                places[one.collection.tenant, one.collection.id].append(one.face.id)
            before = counts.total()
            for place, ids in places.items():
                with suppress(NotFound):  # the collection went meanwhile, and they with it
                    counts[place] += len(await self._store.delete_faces(*place, ids))
            if counts.total() == before:
                break
        return [Swept(*place, count) for place, count in sorted(counts.items()) if count]


def _issued(one: DueFace) -> tuple[str, str]:
    past = one.face.provenance
    return past.consent_issuer or f"tenants/{one.collection.tenant}", past.consent_id
