"""This process's own chain: batches of records become entries, all of a batch or none.

A notice that a decision owes to somebody is written in the same transaction as the decision.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, replace

from sqlalchemy import Connection, Engine, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from beholden.core.record import Entry, Record
from beholden.ledger.chain import ORIGIN, Writer, entry_hash, writer_link
from beholden.ledger.database import unavailable
from beholden.ledger.outbox import notice_of
from beholden.ledger.tables import ENTRIES, NOTICES, WRITERS, to_row, to_writer

_JOIN_TRIES = 8

_INSERT = insert(ENTRIES)
_OWE = insert(NOTICES)
_MOVE = (
    update(WRITERS)
    .where(WRITERS.c.ordinal == bindparam("of"), WRITERS.c.head == bindparam("from_head"))
    .values(sequence=bindparam("to_sequence"), head=bindparam("to_head"))
)


class ChainWriter:
    """Used by one thread only. Joins the ledger with its first record, not before."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer: Writer | None = None

    def commit(self, records: Sequence[tuple[Record, str]]) -> Sequence[Entry]:
        """Writes records, each with its body as canonical JSON; durable on return.

        Raises Unavailable. Nobody knows then whether the commit came through, so the chain is
        left as it is and the next batch begins another.
        """
        writer, self._writer = self._writer, None
        for tries_left in reversed(range(_JOIN_TRIES)):
            try:
                with self._engine.begin() as connection:
                    entries, after = _extend(connection, writer or _join(connection), records)
                break
            except IntegrityError as error:
                # Two processes took the same ordinal at once; it takes a chain of our own to fail.
                if writer is not None or not tries_left:
                    raise unavailable(error) from error
            except SQLAlchemyError as error:
                raise unavailable(error) from error
        self._writer = after
        return entries


def _join(connection: Connection) -> Writer:
    newest = connection.execute(
        select(WRITERS).order_by(WRITERS.c.ordinal.desc()).limit(1)
    ).one_or_none()
    before = to_writer(newest) if newest else None
    unlinked = Writer(
        ordinal=before.ordinal + 1 if before else 1,
        id=uuid.uuid4().hex,
        started_ns=time.time_ns(),
        witnessed_sequence=before.sequence if before else 0,
        witnessed_hash=before.head if before else ORIGIN,
        link="",
        sequence=0,
        head="",
    )
    link = writer_link(before.link if before else ORIGIN, unlinked)
    writer = replace(unlinked, link=link, head=link)
    connection.execute(insert(WRITERS), asdict(writer))
    return writer


def _extend(
    connection: Connection, writer: Writer, records: Sequence[tuple[Record, str]]
) -> tuple[list[Entry], Writer]:
    entries, rows, previous = [], [], writer.head
    for sequence, (record, body) in enumerate(records, writer.sequence + 1):
        entry = Entry(writer.id, sequence, record, previous, entry_hash(previous, record, body))
        entries.append(entry)
        rows.append(to_row(entry, body))
        previous = entry.hash
    connection.execute(_INSERT, rows)
    owed = [notice for record, _ in records if (notice := notice_of(record))]
    if owed:
        connection.execute(_OWE, owed)
    after = replace(writer, sequence=entries[-1].sequence, head=previous)
    moved = connection.execute(
        _MOVE,
        {
            "of": writer.ordinal,
            "from_head": writer.head,
            "to_sequence": after.sequence,
            "to_head": after.head,
        },
    )
    if moved.rowcount != 1:
        raise SQLAlchemyError("somebody else changed this writer's head")
    return entries, after
