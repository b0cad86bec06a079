"""The check of one writer's entries against its links, its checkpoints and the writer after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from beholden.core.record import Breach, Entry
from beholden.ledger.chain import Writer, intact
from beholden.ledger.checkpoint import CHECKPOINTS, Span, leaf
from beholden.ledger.merkle import Tree


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a checkpoint states of one writer: a span, and the checkpoint's number."""

    checkpoint: int
    span: Span


def check_entries(
    writer: Writer,
    entries: Iterable[tuple[Entry, str]],
    witness: Writer | None = None,
    sealed: Iterable[Sealed] = (),
    floor: Span | None = None,
) -> Iterator[Breach]:
    """What is wrong with one writer's entries, each with its body as stored, in order of sequence.

    `witness` is the writer that started next; `sealed` its spans in order; entries up to `floor`
    may have been dropped. Constant memory; goes on past a breach, from what the entry itself says,
    so that one edit is told once.
    """
    expected, previous = (floor.last + 1, floor.head) if floor else (1, writer.link)
    left_over = range(1, expected if floor else 1)
    stated = (witness.witnessed_sequence, witness.witnessed_hash) if witness else (0, writer.link)
    if stated[0] == 0 and stated[1] != writer.link:
        yield Breach(writer.id, 0, "the next writer found another beginning of this chain")
    seals = _Seals(writer, sealed)
    yield from seals.begin()
    for entry, body in entries:
        problems = []
        if entry.sequence in left_over:
            # A removal was interrupted here; what is left leads to the floor, or it is wrong.
            expected, previous = entry.sequence, entry.previous
        if entry.sequence > expected:
            yield Breach(writer.id, expected, _missing(expected, entry.sequence - 1))
            seals.doubt()
        elif entry.sequence < expected:
            problems.append("has no place in the chain")
        elif entry.previous != previous:
            problems.append("does not follow the entry before it")
        if not intact(entry, body):
            problems.append("was changed after it was written")
        if entry.sequence == stated[0] and entry.hash != stated[1]:
            problems.append("is not what the next writer found here")
        if problems:
            seals.doubt()
        yield from (Breach(writer.id, entry.sequence, problem) for problem in problems)
        yield from seals.take(entry)
        expected, previous, left_over = entry.sequence + 1, entry.hash, range(0)
    last = max(writer.sequence, stated[0], *(one.span.last for one in seals.rest()))
    if expected <= last:
        yield Breach(writer.id, expected, _missing(expected, last))
    elif (writer.sequence, writer.head) != (expected - 1, previous):
        yield Breach(writer.id, writer.sequence, "the writer's head is not its last entry")


class _Seals:
    """The spans of one writer beside its entries."""

    def __init__(self, writer: Writer, sealed: Iterable[Sealed]) -> None:
        self._writer = writer
        self._coming = iter(sealed)
        self._now: Sealed | None = None
        self._tree = Tree()
        self._doubted = False

    def begin(self) -> Iterator[Breach]:
        """Goes to the first span."""
        yield from self._next(0)

    def doubt(self) -> None:
        """A breach in this span is told already; what follows from it need not be."""
        self._doubted = True

    def take(self, entry: Entry) -> Iterator[Breach]:
        """Holds an entry against the span that it is in."""
        while self._now is not None and entry.sequence > self._now.span.last:
            yield from self._next(self._now.span.last)
        if self._now is None or entry.sequence < self._now.span.first:
            return
        span, number = self._now.span, self._now.checkpoint
        self._tree.add(leaf(self._writer.id, entry.sequence, entry.hash))
        if entry.sequence < span.last:
            return
        whole = self._tree.size == span.last - span.first + 1
        if entry.hash != span.head and not self._doubted:
            problem = f"is not what checkpoint {number} signed, nor need be any entry since the one before"
            yield Breach(self._writer.id, entry.sequence, problem)
        elif whole and self._tree.root().hex() != span.root and not self._doubted:
            problem = f"checkpoint {number} has another root than the entries that it covers"
            yield Breach(CHECKPOINTS, number, problem)
        yield from self._next(span.last)

    def rest(self) -> Iterator[Sealed]:
        """The spans that no entry has reached the end of."""
        if self._now is not None:
            yield self._now
        yield from self._coming

    def _next(self, last: int) -> Iterator[Breach]:
        self._now, self._tree, self._doubted = next(self._coming, None), Tree(), False
        if self._now is not None and not last + 1 == self._now.span.first <= self._now.span.last:
            number = self._now.checkpoint
            problem = f"checkpoint {number} does not go on where the one before it ended"
            yield Breach(CHECKPOINTS, number, problem)


def _missing(first: int, last: int) -> str:
    return "is missing" if first == last else f"is missing, as are all to {last}"
