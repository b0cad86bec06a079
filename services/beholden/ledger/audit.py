"""Reads the whole ledger, writer by writer, and says where it does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, pairwise

from sqlalchemy import Connection, select

from beholden.core.record import Breach, Entry, Verification
from beholden.ledger.chain import ORIGIN, Writer, check_entries, check_writer, ledger_head
from beholden.ledger.tables import ENTRIES, WRITERS, to_entry, to_writer

_FETCH = 500
_BREACHES = 100


class Audit:
    """One verification over one transaction; `going_on` is asked between entries and may raise."""

    def __init__(self, connection: Connection, going_on: Callable[[], None]) -> None:
        self._connection = connection
        self._going_on = going_on
        self._entries = 0

    def run(self) -> Verification:
        """At most the first hundred breaches, and one that says that there are more."""
        ordinal, link, head = 0, ORIGIN, ORIGIN
        breaches: list[Breach] = []
        for writer, following in pairwise(chain(self._writers(), (None,))):
            assert writer is not None
            next_is_ours = following is not None and following.ordinal == writer.ordinal + 1
            found = chain(
                check_writer(writer, ordinal + 1, link),
                check_entries(writer, self._of(writer), following if next_is_ours else None),
            )
            _keep(breaches, found)
            ordinal, link, head = writer.ordinal, writer.link, ledger_head(head, writer)
        _keep(breaches, self._strangers())
        return Verification(self._entries, ordinal, head, tuple(breaches))

    def _writers(self) -> Iterator[Writer]:
        """By ordinal, a page at a time, so that the entries can be read in between."""
        last = -1 << 31
        while page := self._connection.execute(
            select(WRITERS)
            .where(WRITERS.c.ordinal > last)
            .order_by(WRITERS.c.ordinal)
            .limit(_FETCH)
        ).all():
            yield from map(to_writer, page)
            last = page[-1].ordinal

    def _of(self, writer: Writer) -> Iterator[tuple[Entry, str]]:
        rows = self._connection.execute(
            select(ENTRIES)
            .where(ENTRIES.c.writer == writer.id)
            .order_by(ENTRIES.c.sequence)
            .execution_options(yield_per=_FETCH)
        )
        for row in rows:
            self._going_on()
            self._entries += 1
            yield to_entry(row, {}), row.body  # the text is what is hashed; nobody reads the body

    def _strangers(self) -> Iterator[Breach]:
        rows = self._connection.execute(
            select(ENTRIES.c.writer)
            .where(ENTRIES.c.writer.not_in(select(WRITERS.c.id)))
            .distinct()
            .limit(_BREACHES + 1)
        )
        for row in rows:
            yield Breach(str(row.writer), 0, "has entries and is no writer of this ledger")


def _keep(breaches: list[Breach], found: Iterator[Breach]) -> None:
    for breach in found:
        if len(breaches) < _BREACHES:
            breaches.append(breach)
        elif len(breaches) == _BREACHES:
            breaches.append(Breach("", 0, f"and more; these are the first {_BREACHES}"))
