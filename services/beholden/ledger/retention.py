"""Drops old entries, so that what remains can still be verified."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from beholden.core.errors import FailedPrecondition
from beholden.ledger.audit import Audit, Progress, floor_of
from beholden.ledger.checkpoint import Checkpoint
from beholden.ledger.database import Database
from beholden.ledger.keys import Signer, TrustedKeys
from beholden.ledger.sealing import newest_checkpoint, seal
from beholden.ledger.tables import CHECKPOINTS, ENTRIES, WRITERS, to_span

_BATCH = 2000


def droppable(database: Database, before_ns: int) -> int:
    """The newest checkpoint signed before a moment (Unix ns): nothing it covers is younger; 0 if none."""
    with database.reading.connect() as connection:
        query = select(func.max(CHECKPOINTS.c.ordinal)).where(CHECKPOINTS.c.time_ns < before_ns)
        return int(connection.execute(query).scalar() or 0)


def prune(
    database: Database, signer: Signer, keys: TrustedKeys, before_ns: int, progress: Progress
) -> tuple[Checkpoint | None, int]:
    """Drops the entries that checkpoints from before a moment cover, every chain at once.

    A new checkpoint states first what is dropped; it and how many entries went are returned. A
    removal that is interrupted leaves a ledger that holds, and is completed by the next one. Raises
    FailedPrecondition where the ledger does not hold: evidence is not removed.
    """
    upto = droppable(database, before_ns)
    with database.reading.connect() as connection:
        holds = Audit(connection, keys, progress).run().holds
    if not holds:
        raise FailedPrecondition(
            "the ledger does not hold, so nothing is dropped", remedy="run: beholden ledger verify"
        )
    if not upto:
        return None, 0
    with database.reading.connect() as connection:
        newest = newest_checkpoint(connection)
    if newest is not None and newest.dropped < upto:
        newest = seal(database, signer, dropped=upto)
    return newest, _drop(database, upto)


def _drop(database: Database, upto: int) -> int:
    with database.reading.connect() as connection:
        writers = connection.execute(select(WRITERS.c.id)).scalars().all()
    return sum(_drop_of(database, writer, upto) for writer in writers)


def _drop_of(database: Database, writer: str, upto: int) -> int:
    with database.reading.connect() as connection:
        row = connection.execute(floor_of(writer, upto)).one_or_none()
        least = connection.execute(
            select(func.min(ENTRIES.c.sequence)).where(ENTRIES.c.writer == writer)
        ).scalar()
    if row is None or least is None:
        return 0
    dropped, last = 0, to_span(row).last
    # A few at a time, so that appends come in between; oldest first, so that what is left is a chain.
    for first in range(least, last + 1, _BATCH):
        within = ENTRIES.c.sequence.between(first, min(first + _BATCH - 1, last))
        with database.writing.begin() as connection:
            dropped += connection.execute(
                delete(ENTRIES).where(ENTRIES.c.writer == writer, within)
            ).rowcount
    return dropped
