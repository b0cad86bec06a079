"""The Ledger over SQLAlchemy: SQLite or PostgreSQL, by the same code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import SQLAlchemyError

from beholden.core.errors import Unavailable
from beholden.core.gallery import Page
from beholden.core.record import Entry, Record, Verification
from beholden.ledger.audit import Audit
from beholden.ledger.commit import GroupCommit
from beholden.ledger.database import Database, unavailable
from beholden.ledger.keys import Signer, TrustedKeys, read_public
from beholden.ledger.listing import list_entries, read_entry
from beholden.ledger.records import checked_body
from beholden.ledger.sealing import Sealing
from beholden.ledger.settings import LedgerSettings
from beholden.ledger.tables import ENTRIES
from beholden.ledger.writer import ChainWriter

T = TypeVar("T")


class SqlLedger:
    """Appends share commits on one thread; reads run beside them on others.

    Each open ledger writes a chain of its own, so any number of processes may share a database.
    """

    def __init__(self, database: Database, settings: LedgerSettings, signer: Signer) -> None:
        self._database = database
        self._keys = TrustedKeys([signer.public, *read_public(settings.trusted_keys)])
        self._settings = settings
        self._closed = False
        self._readers = ThreadPoolExecutor(settings.readers, "ledger-read")
        self._sealing = Sealing(
            database,
            signer,
            records=settings.checkpoint_records,
            seconds=settings.checkpoint_seconds,
        )
        self._chain = ChainWriter(database.writing)
        self._commits = GroupCommit[tuple[Record, str], Entry](
            self._commit,
            most=settings.max_commit,
            waiting=settings.max_waiting,
        )

    async def append(self, record: Record) -> Entry:
        """Durable on return. Raises Unavailable, InvalidArgument (a record no database could keep)."""
        body = checked_body(record, self._settings.max_body)
        return await self._commits.submit((record, body), self._settings.timeout)

    async def get(self, tenant: str, id: str) -> tuple[Entry, ...]:
        """The decision and its outcome, oldest first; empty when there is none for this tenant."""
        query = (
            select(ENTRIES)
            .where(ENTRIES.c.id == id, ENTRIES.c.tenant == tenant)
            .order_by(ENTRIES.c.time_ns, ENTRIES.c.sequence)
        )
        rows = await self._read(lambda connection: connection.execute(query).all())
        return tuple(map(read_entry, rows))

    async def list(
        self, tenant: str, *, page_size: int, page_token: str = "", denied_only: bool = False
    ) -> Page[Entry]:
        """A tenant's entries, newest first. Raises InvalidArgument (page size, page token)."""
        most = self._settings.max_page
        return await self._read(
            lambda connection: list_entries(
                connection, tenant, page_size, page_token, denied_only=denied_only, most=most
            )
        )

    async def verify(self) -> Verification:
        """Reads every chain from its beginning, as of one moment; appends go on meanwhile."""
        return await self._read(
            lambda connection: Audit(
                connection, self._keys, lambda read, total: self._check_open()
            ).run()
        )

    async def ready(self) -> bool:
        """Whether a record could be written now: commits a change that changes nothing."""
        if self._closed:
            return False
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._touch)

    async def close(self) -> None:
        """Commits what was accepted, signs for it and lets go; further calls raise Unavailable."""
        self._closed = True
        await self._commits.close()
        await asyncio.to_thread(self._sealing.close)
        await asyncio.to_thread(self._readers.shutdown)
        await asyncio.to_thread(self._database.writing.dispose)

    def _commit(self, records: Sequence[tuple[Record, str]]) -> Sequence[Entry]:
        entries = self._chain.commit(records)
        self._sealing.wrote(len(entries))
        return entries

    async def _read(self, work: Callable[[Connection], T]) -> T:
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._reading, work)

    def _reading(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._database.reading.connect() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise unavailable(error) from error

    def _touch(self) -> bool:
        try:
            with self._database.writing.begin() as connection:
                connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
        except SQLAlchemyError:
            return False
        return True

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable("ledger", "is closed")
