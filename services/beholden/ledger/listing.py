"""A tenant's entries, page by page, newest first."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, and_, not_, select, tuple_

from beholden.core.errors import FailedPrecondition
from beholden.core.gallery import Page
from beholden.core.paging import check_page_size, decode_token, encode_token
from beholden.core.record import Entry
from beholden.ledger.tables import ENTRIES, to_entry

_PLACE = (ENTRIES.c.time_ns, ENTRIES.c.writer, ENTRIES.c.sequence)


def list_entries(
    connection: Connection,
    tenant: str,
    page_size: int,
    page_token: str,
    *,
    denied_only: bool,
    most: int,
) -> Page[Entry]:
    """At most `page_size` entries, and never over `most`.

    Raises InvalidArgument (page size, page token), FailedPrecondition for a damaged entry.
    """
    size = check_page_size(page_size, most)
    listing = ("entries", tenant, "denied" if denied_only else "all")
    conditions = [ENTRIES.c.tenant == tenant]
    if denied_only:
        conditions.append(not_(ENTRIES.c.allowed))
    if page_token:
        conditions.append(tuple_(*_PLACE) < tuple_(*decode_token(listing, page_token)))
    newest = [column.desc() for column in _PLACE]
    query = select(ENTRIES).where(and_(*conditions)).order_by(*newest).limit(size + 1)
    rows = connection.execute(query).all()
    entries = tuple(map(read_entry, rows[:size]))
    if len(rows) <= size:
        return Page(entries)
    last = entries[-1]
    return Page(entries, encode_token(listing, (last.record.time_ns, last.writer, last.sequence)))


def read_entry(row: Row[Any]) -> Entry:
    """A row with its body parsed. Raises FailedPrecondition where that is damaged."""
    try:
        return to_entry(row, json.loads(row.body))
    except (TypeError, ValueError):
        raise FailedPrecondition(
            f"entry {row.sequence} of {row.writer} is damaged", remedy="run: beholden ledger verify"
        ) from None
