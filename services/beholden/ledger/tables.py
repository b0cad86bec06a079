"""The tables, and how rows become writers, entries and checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    not_,
)

from beholden.core.law import Json
from beholden.core.record import Entry, Record
from beholden.ledger.chain import Writer
from beholden.ledger.checkpoint import Checkpoint, Span, in_order

METADATA = MetaData()

WRITERS = Table(
    "ledger_writers",
    METADATA,
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("id", String(32), nullable=False, unique=True),
    Column("started_ns", BigInteger, nullable=False),
    Column("witnessed_sequence", BigInteger, nullable=False),
    Column("witnessed_hash", String(64), nullable=False),
    Column("link", String(64), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("head", String(64), nullable=False),
)

ENTRIES = Table(
    "ledger_entries",
    METADATA,
    Column("writer", String(32), primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("allowed", Boolean(create_constraint=True, name="ledger_allowed"), nullable=False),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
Index("ledger_entries_by_id", ENTRIES.c.id)
Index(
    "ledger_entries_by_tenant",
    ENTRIES.c.tenant,
    ENTRIES.c.time_ns,
    ENTRIES.c.writer,
    ENTRIES.c.sequence,
)
Index(
    "ledger_entries_denied",
    ENTRIES.c.tenant,
    ENTRIES.c.time_ns,
    ENTRIES.c.writer,
    ENTRIES.c.sequence,
    sqlite_where=not_(ENTRIES.c.allowed),
    postgresql_where=not_(ENTRIES.c.allowed),
)

CHECKPOINTS = Table(
    "ledger_checkpoints",
    METADATA,
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("previous", String(64), nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("writers", Integer, nullable=False),
    Column("link", String(64), nullable=False),
    Column("dropped", Integer, nullable=False),
    Column("key", String(64), nullable=False),
    Column("signature", String(128), nullable=False),
)

SPANS = Table(
    "ledger_spans",
    METADATA,
    Column("writer", String(32), primary_key=True),
    Column("checkpoint", Integer, primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("head", String(64), nullable=False),
    Column("root", String(64), nullable=False),
)
Index("ledger_spans_by_checkpoint", SPANS.c.checkpoint)

REVIEWS = Table(
    "reviews",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("law", Text, nullable=False),
    Column("reviewers", Integer, nullable=False),
    Column("candidates", Integer, nullable=False),
    Column("media", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("expires_ns", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("answer_type", Text, nullable=False),
    Column("answer_list", Text, nullable=False),
    Column("answer", LargeBinary),
    Column("rests_on", Text, nullable=False, server_default="[]"),
)
Index("reviews_by_tenant", REVIEWS.c.tenant, REVIEWS.c.created_ns, REVIEWS.c.id)
Index("reviews_by_expiry", REVIEWS.c.expires_ns)

OPINIONS = Table(
    "review_opinions",
    METADATA,
    Column("review", Text, primary_key=True),
    Column("reviewer", Text, primary_key=True),
    Column("time_ns", BigInteger, nullable=False),
    Column("confirmed", Text, nullable=False),
    Column("reason", Text, nullable=False),
)


NOTICES = Table(
    "notices",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("problem", Text, nullable=False),
    Column("delivered_ns", BigInteger),
)
Index(
    "notices_due",
    NOTICES.c.due_ns,
    sqlite_where=NOTICES.c.delivered_ns.is_(None),
    postgresql_where=NOTICES.c.delivered_ns.is_(None),
)
Index("notices_by_time", NOTICES.c.created_ns, NOTICES.c.id)


def to_row(entry: Entry, body: str) -> dict[str, Any]:
    """An entry as its columns; `body` is the record's body as canonical JSON."""
    record = entry.record
    return {
        "writer": entry.writer,
        "sequence": entry.sequence,
        "id": record.id,
        "kind": record.kind,
        "time_ns": record.time_ns,
        "tenant": record.tenant,
        "principal": record.principal,
        "action": record.action,
        "allowed": record.allowed,
        "body": body,
        "previous": entry.previous,
        "hash": entry.hash,
    }


def to_entry(row: Row[Any], body: Mapping[str, Json]) -> Entry:
    """A row of `ledger_entries`, with its body parsed or left empty by the caller."""
    return Entry(
        writer=row.writer,
        sequence=row.sequence,
        record=Record(
            id=row.id,
            kind=row.kind,
            time_ns=row.time_ns,
            tenant=row.tenant,
            principal=row.principal,
            action=row.action,
            allowed=row.allowed,
            body=body,
        ),
        previous=row.previous,
        hash=row.hash,
    )


def to_writer(row: Row[Any]) -> Writer:
    """A row of `ledger_writers`."""
    return Writer(**row._mapping)


def to_span(row: Row[Any]) -> Span:
    """A row of `ledger_spans`."""
    return Span(row.writer, row.first, row.last, row.head, row.root)


def to_checkpoint(row: Row[Any], spans: Iterable[Span]) -> Checkpoint:
    """A row of `ledger_checkpoints` with its spans."""
    return Checkpoint(**row._mapping, spans=in_order(spans))
