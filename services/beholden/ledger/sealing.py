"""Signs checkpoints beside the appends: reads what came since the last one, states it, writes it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import asdict
from threading import Event, Thread

from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from beholden.core.errors import FailedPrecondition
from beholden.ledger.chain import ORIGIN, Writer
from beholden.ledger.checkpoint import Checkpoint, Span, covered, in_order, leaf, signed
from beholden.ledger.database import Database
from beholden.ledger.keys import Signer
from beholden.ledger.merkle import Tree
from beholden.ledger.tables import (
    CHECKPOINTS,
    ENTRIES,
    SPANS,
    WRITERS,
    to_checkpoint,
    to_span,
    to_writer,
)

_log = logging.getLogger(__name__)

_FETCH = 1000
_TRIES = 8


class Sealing:
    """One thread that seals after `records` records or `seconds` seconds, and once more at the end.

    A seal that fails is logged and tried again later; appends never wait for one.
    """

    def __init__(self, database: Database, signer: Signer, *, records: int, seconds: float) -> None:
        self._database = database
        self._signer = signer
        self._records = records
        self._seconds = seconds
        self._written = 0  # changed by the committing thread only
        self._tried = 0  # changed by this one's only
        self._failed = False
        self._due = Event()
        self._closed = False
        self._known: tuple[int, str] | None = None
        self._thread = Thread(target=self._run, name="ledger-seal", daemon=True)
        self._thread.start()

    def wrote(self, records: int) -> None:
        """Told by the one thread that commits, after each commit."""
        self._written += records
        if self._written - self._tried >= self._records:
            self._due.set()

    def close(self) -> None:
        """Seals what is left; to be called when nothing is written any more."""
        self._closed = True
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed:
            self._due.wait(self._seconds)
            self._due.clear()
            if self._failed or self._written != self._tried:
                self._tried = self._written  # what is written from here on may be counted again
                self._seal()

    def _seal(self) -> None:
        self._failed = True
        try:
            made = seal(self._database, self._signer, known=self._known)
        except Exception as error:  # noqa: BLE001 the thread must live on to try again
            _log.error("the ledger's checkpoint could not be signed: %s", error)
            return
        self._failed = False
        if made is not None:
            self._known = (made.ordinal, made.hash)
            # The log is a witness outside the database.
            _log.info("ledger checkpoint %d:%s covers %d entries", *self._known, made.entries)


def seal(
    database: Database,
    signer: Signer,
    *,
    dropped: int | None = None,
    known: tuple[int, str] | None = None,
) -> Checkpoint | None:
    """Signs a checkpoint over everything committed; None where the newest one covers it all.

    `dropped` states anew up to which checkpoint entries may be removed. `known` is the number and
    hash of a checkpoint that must be there. Raises FailedPrecondition where the chains do not follow
    what was signed before: a breach is never signed over; sqlalchemy's errors.
    """
    for tries_left in reversed(range(_TRIES)):
        with database.reading.connect() as connection:
            _check_known(connection, known)
            made = _state(connection, signer, dropped)
        if made is None:
            return None
        try:
            with database.writing.begin() as connection:
                write_checkpoint(connection, made)
            return made
        except IntegrityError:
            if not tries_left:  # another process signed that number each time
                raise
    return None


def write_checkpoint(connection: Connection, made: Checkpoint) -> None:
    """Raises IntegrityError where that number is taken."""
    row = asdict(made)
    spans = row.pop("spans")
    connection.execute(insert(CHECKPOINTS), row)
    if spans:
        connection.execute(insert(SPANS), [{**span, "checkpoint": made.ordinal} for span in spans])


def newest_checkpoint(connection: Connection) -> Checkpoint | None:
    """The checkpoint with the highest number."""
    return _checkpoint(connection, select(func.max(CHECKPOINTS.c.ordinal)).scalar_subquery())


def read_checkpoint(connection: Connection, ordinal: int) -> Checkpoint | None:
    """The checkpoint of that number."""
    return _checkpoint(connection, ordinal)


def _checkpoint(connection: Connection, ordinal: object) -> Checkpoint | None:
    row = connection.execute(
        select(CHECKPOINTS).where(CHECKPOINTS.c.ordinal == ordinal)
    ).one_or_none()
    if row is None:
        return None
    spans = connection.execute(select(SPANS).where(SPANS.c.checkpoint == row.ordinal))
    return to_checkpoint(row, map(to_span, spans))


def _check_known(connection: Connection, known: tuple[int, str] | None) -> None:
    found = read_checkpoint(connection, known[0]) if known else None
    if known and (found is None or found.hash != known[1]):
        raise FailedPrecondition(
            f"checkpoint {known[0]} is gone or changed", remedy="run: beholden ledger verify"
        )


def _state(connection: Connection, signer: Signer, dropped: int | None) -> Checkpoint | None:
    before = newest_checkpoint(connection)
    drops = before.dropped if before else 0
    spans = in_order(_new_spans(connection))
    if not spans and dropped in (None, drops):
        return None
    newest = to_writer(
        connection.execute(select(WRITERS).order_by(WRITERS.c.ordinal.desc()).limit(1)).one()
    )
    unsigned = Checkpoint(
        ordinal=before.ordinal + 1 if before else 1,
        previous=before.hash if before else ORIGIN,
        time_ns=time.time_ns(),
        entries=(before.entries if before else 0) + covered(spans),
        writers=newest.ordinal,
        link=newest.link,
        dropped=drops if dropped is None else dropped,
        spans=spans,
    )
    return signed(unsigned, signer)


def _new_spans(connection: Connection) -> Iterator[Span]:
    newest = (
        select(SPANS.c.last)
        .where(SPANS.c.writer == WRITERS.c.id)
        .order_by(SPANS.c.checkpoint.desc())
        .limit(1)
        .scalar_subquery()
    )
    grown = connection.execute(
        select(WRITERS, newest.label("covered")).where(
            WRITERS.c.sequence != func.coalesce(newest, 0)
        )
    ).all()
    for row in grown:
        writer = Writer(**{name: getattr(row, name) for name in Writer.__slots__})
        yield _span(connection, writer, row.covered or 0)


def _span(connection: Connection, writer: Writer, after: int) -> Span:
    head = writer.link
    if after:
        head = connection.execute(
            select(SPANS.c.head)
            .where(SPANS.c.writer == writer.id)
            .order_by(SPANS.c.checkpoint.desc())
            .limit(1)
        ).scalar_one()
    rows = connection.execute(
        select(ENTRIES.c.sequence, ENTRIES.c.previous, ENTRIES.c.hash)
        .where(
            ENTRIES.c.writer == writer.id,
            ENTRIES.c.sequence > after,
            ENTRIES.c.sequence <= writer.sequence,
        )
        .order_by(ENTRIES.c.sequence)
        .execution_options(yield_per=_FETCH)
    )
    tree = Tree()
    for row in rows:
        if row.sequence != after + tree.size + 1 or row.previous != head:
            break
        tree.add(leaf(writer.id, row.sequence, row.hash))
        head = row.hash
    if (after + tree.size, head) != (writer.sequence, writer.head):
        raise FailedPrecondition(
            f"the chain of writer {writer.id} is broken after entry {after + tree.size}",
            remedy="run: beholden ledger verify",
        )
    return Span(writer.id, after + 1, writer.sequence, head, tree.root().hex())
