"""Lets faces go on time, whether their time was set when they were enrolled or their consent is revoked."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from beholden.core.errors import BeholdenError, Unavailable
from beholden.core.ports import FaceStore, Ledger
from beholden.core.record import OUTCOME, Record
from beholden.search.erasure.due import Revoked, Swept, SweptFaces

EXPIRED, REVOKED = "face.expire", "consent.revoke"
"""What the ledger calls the two."""

_PRINCIPAL = "beholden"

_log = logging.getLogger(__name__)


class Sweeper:
    """Looks every `seconds`, and at the very instant when a face expires that it knows of.

    `revoked` is asked anew each time and blocks; `new_id` makes a record's id of Unix nanoseconds.
    What was removed is written down as soon as the ledger takes it.
    """

    def __init__(
        self,
        store: FaceStore,
        ledger: Ledger,
        revoked: Callable[[], Revoked],
        new_id: Callable[[int], str],
        *,
        seconds: float,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._revoked = revoked
        self._new_id = new_id
        self._interval_ns = int(seconds * 1e9)
        self._clock = clock
        self._faces = SweptFaces(store, clock)
        self._owed: list[Record] = []

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            latest = self._clock() + self._interval_ns
            try:
                await self.sweep()
                latest = await self._faces.next_expiry(latest)
            except BeholdenError as error:
                _log.warning("faces that must go wait: %s", error)
            except Exception:  # noqa: BLE001 - nobody awaits this task: it would end unseen
                _log.exception("faces that must go wait")
            await asyncio.sleep(max(0.0, (latest - self._clock()) / 1e9))

    async def sweep(self) -> None:
        """Once. Raises Unavailable where the store, the law or the ledger does not answer."""
        self._owe(EXPIRED, await self._faces.expired())
        await self._store.repair()
        try:
            revoked = await asyncio.to_thread(self._revoked)
            self._owe(REVOKED, await self._faces.revoked(revoked))
        finally:
            await self._write()

    def _owe(self, action: str, swept: Sequence[Swept]) -> None:
        now = self._clock()
        self._owed += [
            Record(
                id=self._new_id(now),
                kind=OUTCOME,
                time_ns=now,
                tenant=one.tenant,
                principal=_PRINCIPAL,
                action=action,
                allowed=True,
                body={
                    "status": "OK",
                    "collection": f"collections/{one.collection}",
                    "counts": {"faces": one.faces},
                },
            )
            for one in swept
        ]

    async def _write(self) -> None:
        while self._owed:
            try:
                await self._ledger.append(self._owed[0])
            except Unavailable:
                _log.warning("%d records of removed faces wait for the ledger", len(self._owed))
                raise
            self._owed.pop(0)
