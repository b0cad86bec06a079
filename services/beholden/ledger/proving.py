"""Makes the proofs of a decision's records out of the ledger."""

from __future__ import annotations

from sqlalchemy import Connection, select

from beholden.core.errors import FailedPrecondition, NotFound
from beholden.core.record import Entry
from beholden.ledger.checkpoint import leaf
from beholden.ledger.listing import read_entry
from beholden.ledger.merkle import audit_path
from beholden.ledger.proof import Proof, span_of
from beholden.ledger.sealing import read_checkpoint
from beholden.ledger.tables import ENTRIES, SPANS

_FETCH = 1000


def prove(connection: Connection, id: str, tenant: str = "") -> tuple[Proof, ...]:
    """The proofs of a decision and its outcome, oldest first; of that tenant's alone where one is named.

    Raises NotFound, and FailedPrecondition for a record that no checkpoint covers yet or whose span
    is no longer whole.
    """
    query = (
        select(ENTRIES).where(ENTRIES.c.id == id).order_by(ENTRIES.c.time_ns, ENTRIES.c.sequence)
    )
    if tenant:
        query = query.where(ENTRIES.c.tenant == tenant)
    rows = connection.execute(query).all()
    if not rows:
        raise NotFound(id, field="decision")
    return tuple(_prove(connection, read_entry(row), row.body) for row in rows)


def _prove(connection: Connection, entry: Entry, body: str) -> Proof:
    number = connection.execute(
        select(SPANS.c.checkpoint).where(
            SPANS.c.writer == entry.writer,
            SPANS.c.first <= entry.sequence,
            SPANS.c.last >= entry.sequence,
        )
    ).scalar()
    checkpoint = read_checkpoint(connection, number) if number else None
    span = span_of(checkpoint, entry.writer, entry.sequence) if checkpoint else None
    if checkpoint is None or span is None:
        raise FailedPrecondition(
            f"no checkpoint covers entry {entry.sequence} yet",
            remedy="one is signed about every minute, and when the server stops",
        )
    hashes = connection.execute(
        select(ENTRIES.c.sequence, ENTRIES.c.hash)
        .where(ENTRIES.c.writer == span.writer, ENTRIES.c.sequence.between(span.first, span.last))
        .order_by(ENTRIES.c.sequence)
        .execution_options(yield_per=_FETCH)
    )
    try:
        path = audit_path(
            (leaf(span.writer, row.sequence, row.hash) for row in hashes),
            entry.sequence - span.first,
            span.last - span.first + 1,
        )
    except ValueError:
        raise FailedPrecondition(
            f"entries beside {entry.sequence} are missing", remedy="run: beholden ledger verify"
        ) from None
    return Proof(entry, body, tuple(digest.hex() for digest in path), checkpoint)
