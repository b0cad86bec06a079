"""Reads the whole ledger, checkpoint by checkpoint and writer by writer, and says where it does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, pairwise
from typing import Any

from sqlalchemy import Connection, Select, func, select

from beholden.core.record import Breach, Entry, Verification
from beholden.ledger.chain import ORIGIN, Writer, check_writer, ledger_head
from beholden.ledger.checkpoint import CHECKPOINTS as OF_CHECKPOINTS
from beholden.ledger.checkpoint import Checkpoint, Span, check_checkpoint
from beholden.ledger.keys import TrustedKeys
from beholden.ledger.tables import (
    CHECKPOINTS,
    ENTRIES,
    SPANS,
    WRITERS,
    to_checkpoint,
    to_entry,
    to_span,
    to_writer,
)
from beholden.ledger.walk import Sealed, check_entries

_FETCH = 500
_BREACHES = 100

Progress = Callable[[int, int], None]
"""Told how many entries are read, and of how many; may raise to end the reading."""


class Audit:
    """One verification over one transaction.

    `known` are the hashes of checkpoints, by number, that somebody kept elsewhere and that must be
    there.
    """

    def __init__(
        self,
        connection: Connection,
        keys: TrustedKeys,
        progress: Progress,
        known: Mapping[int, str] | None = None,
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._progress = progress
        self._known = dict(known or {})
        self._entries = 0
        self._total = 0
        self._newest: Checkpoint | None = None

    def run(self) -> Verification:
        """At most the first hundred breaches, and one that says that there are more."""
        breaches: list[Breach] = []
        _keep(breaches, self._checkpoints())
        self._total = self._count()
        ordinal, link, head = 0, ORIGIN, ORIGIN
        for writer, following in pairwise(chain(self._writers(), (None,))):
            assert writer is not None
            next_is_ours = following is not None and following.ordinal == writer.ordinal + 1
            found = chain(
                check_writer(writer, ordinal + 1, link),
                self._newest_knows(writer),
                check_entries(
                    writer,
                    self._of(writer),
                    following if next_is_ours else None,
                    self._sealed(writer),
                    self._floor(writer),
                ),
            )
            _keep(breaches, found)
            ordinal, link, head = writer.ordinal, writer.link, ledger_head(head, writer)
        _keep(breaches, self._missing_writers(ordinal))
        _keep(breaches, self._strangers())
        newest = self._newest
        return Verification(
            self._entries,
            ordinal,
            head,
            tuple(breaches),
            checkpoints=newest.ordinal if newest else 0,
            covered=newest.entries if newest else 0,
            checkpoint=newest.hash if newest else "",
        )

    def _checkpoints(self) -> Iterator[Breach]:
        for checkpoint in self._all_checkpoints():
            yield from check_checkpoint(checkpoint, self._newest, self._keys)
            known = self._known.pop(checkpoint.ordinal, checkpoint.hash)
            if known != checkpoint.hash:
                yield Breach(
                    OF_CHECKPOINTS,
                    checkpoint.ordinal,
                    f"checkpoint {checkpoint.ordinal} is not the one that was known",
                )
            self._newest = checkpoint
        for number in self._known:
            problem = f"checkpoint {number}, which was known, is missing"
            yield Breach(OF_CHECKPOINTS, number, problem)
        if self._one(_lost_spans()):
            yield Breach(OF_CHECKPOINTS, 0, "a checkpoint is missing that entries were covered by")

    def _all_checkpoints(self) -> Iterator[Checkpoint]:
        last = -1 << 31
        while page := self._connection.execute(
            select(CHECKPOINTS)
            .where(CHECKPOINTS.c.ordinal > last)
            .order_by(CHECKPOINTS.c.ordinal)
            .limit(_FETCH)
        ).all():
            for row in page:
                spans = select(SPANS).where(SPANS.c.checkpoint == row.ordinal)
                yield to_checkpoint(row, map(to_span, self._connection.execute(spans)))
            last = page[-1].ordinal

    def _count(self) -> int:
        written = self._one(select(func.coalesce(func.sum(WRITERS.c.sequence), 0)))
        return max(0, written - (self._dropped_entries() if self._newest else 0))

    def _dropped_entries(self) -> int:
        assert self._newest is not None
        of = select(CHECKPOINTS.c.entries).where(CHECKPOINTS.c.ordinal == self._newest.dropped)
        return self._one(of)

    def _one(self, query: Select[Any]) -> int:
        return int(self._connection.execute(query).scalar() or 0)

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
            self._entries += 1
            self._progress(self._entries, self._total)
            yield to_entry(row, {}), row.body  # the text is what is hashed; nobody reads the body

    def _sealed(self, writer: Writer) -> Iterator[Sealed]:
        rows = self._connection.execute(
            select(SPANS)
            .where(SPANS.c.writer == writer.id)
            .order_by(SPANS.c.checkpoint)
            .execution_options(yield_per=_FETCH)
        )
        return (Sealed(row.checkpoint, to_span(row)) for row in rows)

    def _floor(self, writer: Writer) -> Span | None:
        dropped = self._newest.dropped if self._newest else 0
        row = self._connection.execute(floor_of(writer.id, dropped)).one_or_none()
        return to_span(row) if row else None

    def _newest_knows(self, writer: Writer) -> Iterator[Breach]:
        newest = self._newest
        if newest and newest.writers == writer.ordinal and newest.link != writer.link:
            yield Breach(writer.id, 0, f"is not the writer that checkpoint {newest.ordinal} signed")

    def _missing_writers(self, ordinal: int) -> Iterator[Breach]:
        if self._newest and self._newest.writers > ordinal:
            problem = f"writers {ordinal + 1} to {self._newest.writers} are missing"
            yield Breach(OF_CHECKPOINTS, self._newest.ordinal, problem)

    def _strangers(self) -> Iterator[Breach]:
        rows = self._connection.execute(
            select(ENTRIES.c.writer)
            .where(ENTRIES.c.writer.not_in(select(WRITERS.c.id)))
            .distinct()
            .limit(_BREACHES + 1)
        )
        for row in rows:
            yield Breach(str(row.writer), 0, "has entries and is no writer of this ledger")


def floor_of(writer: str, dropped: int) -> Select[Any]:
    """The span that a writer's dropped entries end with, where those up to a checkpoint are."""
    return (
        select(SPANS)
        .where(SPANS.c.writer == writer, SPANS.c.checkpoint <= dropped)
        .order_by(SPANS.c.checkpoint.desc())
        .limit(1)
    )


def _lost_spans() -> Select[Any]:
    ordinals = select(CHECKPOINTS.c.ordinal)
    return select(func.count()).select_from(SPANS).where(SPANS.c.checkpoint.not_in(ordinals))


def _keep(breaches: list[Breach], found: Iterator[Breach]) -> None:
    for breach in found:
        if len(breaches) < _BREACHES:
            breaches.append(breach)
        elif len(breaches) == _BREACHES:
            breaches.append(Breach("", 0, f"and more; these are the first {_BREACHES}"))
