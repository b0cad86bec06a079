"""Delivers the notices that decisions owe, at least once each, from a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from threading import Event, Thread

from sqlalchemy.exc import SQLAlchemyError

from beholden.ledger import outbox
from beholden.ledger.database import Database
from beholden.ledger.settings import NoticeSettings
from beholden.ledger.webhook import Undelivered, Webhook

_SECOND = 10**9
_DAY = 24 * 3600 * _SECOND
_LEAST_WAIT = 1.0
_LONGEST_DOUBLING = 12

_log = logging.getLogger(__name__)


class Notices:
    """`clock` is Unix time in nanoseconds. Any number of processes may deliver from one database.

    A notice is claimed for as long as sending it may take; who dies meanwhile leaves it to the others,
    and the receiver, who may have had it, knows it by its id.
    """

    def __init__(
        self,
        database: Database,
        webhook: Webhook,
        settings: NoticeSettings,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._database = database
        self._webhook = webhook
        self._settings = settings
        self._clock = clock
        self._closing = Event()
        self._thread = Thread(target=self._run, name="notices", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Ends after what is being sent; the rest waits for the next start."""
        self._closing.set()
        await asyncio.to_thread(self._thread.join)
        self._webhook.close()
        await asyncio.to_thread(self._database.writing.dispose)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                busy = self._deliver()
            except SQLAlchemyError as error:
                _log.error("notices could not be read: %s", type(error).__name__)
                busy = False
            if not busy and self._closing.wait(self._settings.poll_seconds):
                return

    def _deliver(self) -> bool:
        """Whether there was anything to do."""
        now = self._clock()
        # Asked without a lock first: the ledger's own commits want the same one.
        with self._database.reading.connect() as connection:
            if not outbox.any_due(connection, now):
                return False
        with self._database.writing.begin() as connection:
            outbox.forget(connection, now - int(self._settings.keep_days * _DAY))
            lease = int(2 * self._settings.timeout * _SECOND)
            claimed = outbox.claim(connection, now, now + lease)
        if claimed is not None:
            self._send(*claimed)
        return claimed is not None

    def _send(self, id: str, body: str, attempts: int) -> None:
        now = self._clock()
        try:
            self._webhook.send(id, body, now // _SECOND)
        except Undelivered as problem:
            wait = min(
                _LEAST_WAIT * 2 ** min(attempts, _LONGEST_DOUBLING), self._settings.most_wait
            )
            _log.warning("notice %s was not delivered: %s", id, problem)
            with self._database.writing.begin() as connection:
                outbox.failed(connection, id, str(problem), now + int(wait * _SECOND))
            return
        with self._database.writing.begin() as connection:
            outbox.delivered(connection, id, self._clock())
