"""The hash chain: canonical form, entries' hashes and writers' links; pure functions.

What the chain shows: an edit of any column, an entry taken out, put in, moved or copied, and a
tail cut off while the writer's head still names it. Each new writer also states the head that it
found the writer before it at, so that cutting an earlier writer's tail and its head together
shows. What it cannot show: somebody with write access who recomputes every hash from the edit
to the end, or who removes the newest entries, their writer's head included, before another
writer has stated it. Signed checkpoints (checkpoint.py) show that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from beholden.core.errors import InvalidArgument
from beholden.core.law import Json
from beholden.core.record import Breach, Entry, Record

ORIGIN = "0" * 64
"""What the first writer's link follows."""


@dataclass(frozen=True, slots=True)
class Writer:
    """One process's chain. `ordinal` counts the ledger's writers from 1.

    `witnessed_sequence` and `witnessed_hash` are the head of the writer before it at the time
    (0 and its link where that had no entry, 0 and ORIGIN for the first); `link` is the chain's
    genesis; `sequence` and `head` are the last entry's, 0 and `link` where there is none.
    """

    ordinal: int
    id: str
    started_ns: int
    witnessed_sequence: int
    witnessed_hash: str
    link: str
    sequence: int
    head: str


def canonical_json(value: Json, field: str = "record.body") -> str:
    """Sorted keys, no spaces, ASCII, shortest floats: one text for one value.

    Raises InvalidArgument for what JSON cannot hold: NaN, infinities, bytes, other types.
    """
    try:
        return _ENCODE(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(field, f"must be plain JSON: {error}") from None


def entry_hash(previous: str, record: Record, body: str) -> str:
    """SHA-256 over `previous` (hex) and the record's canonical form, whose body is the text `body`."""
    rest = {name: getattr(record, name) for name in _TEXT_AND_NUMBERS}
    form = canonical_json({**rest, "body_sha256": hashlib.sha256(body.encode()).hexdigest()})
    return hashlib.sha256(f"{previous}\n{form}".encode()).hexdigest()


def writer_link(previous: str, writer: Writer) -> str:
    """SHA-256 over the link of the writer before it (hex) and what this one says of itself."""
    form = canonical_json(
        {
            "ordinal": writer.ordinal,
            "id": writer.id,
            "started_ns": writer.started_ns,
            "witnessed_sequence": writer.witnessed_sequence,
            "witnessed_hash": writer.witnessed_hash,
        }
    )
    return hashlib.sha256(f"{previous}\n{form}".encode()).hexdigest()


def check_writer(writer: Writer, ordinal: int, link: str) -> Iterator[Breach]:
    """What is wrong with a writer that should be number `ordinal` and follow `link`."""
    if writer.ordinal != ordinal:
        yield Breach(writer.id, 0, f"writers {ordinal} to {writer.ordinal - 1} are missing")
    elif writer_link(link, writer) != writer.link:
        yield Breach(writer.id, 0, "the writer's own line was changed")


def ledger_head(before: str, writer: Writer) -> str:
    """The digest over the heads of all writers up to this one; `before` is that without it.

    Equal for two readings that found the same ledger.
    """
    return hashlib.sha256(
        f"{before} {writer.id} {writer.sequence} {writer.head}".encode()
    ).hexdigest()


def intact(entry: Entry, body: str) -> bool:
    """Whether an entry's hash is that of its columns and of `body`, the body as stored."""
    try:
        return entry_hash(entry.previous, entry.record, body) == entry.hash
    except (InvalidArgument, AttributeError):
        return False  # a column holds what no record could


_TEXT_AND_NUMBERS = ("id", "kind", "time_ns", "tenant", "principal", "action", "allowed")


def _plain(value: object) -> object:
    """Mappings and sequences of other kinds as those that `json` knows."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


_ENCODE = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False, default=_plain
).encode
