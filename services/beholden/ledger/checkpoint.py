"""Checkpoints: signed statements of how far every chain had come; pure functions.

A checkpoint follows the one before it by hash and lists, for each chain that grew since, the span
of entries that came: where it ends, and the root of a Merkle tree over it. All checkpoints up to
one thus state every chain up to its head there, and nobody without the key can state another. What
checkpoints cannot show: entries that came after the newest one, and that somebody took away the
newest checkpoints together with all they cover. For the latter keep a checkpoint's number and hash
elsewhere (they are logged) and have them looked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from beholden.core.errors import InvalidArgument
from beholden.core.record import Breach
from beholden.ledger.chain import ORIGIN, canonical_json
from beholden.ledger.keys import Signer, TrustedKeys
from beholden.ledger.merkle import leaf_hash

CHECKPOINTS = "checkpoints"
"""What stands in a breach's `writer` when a checkpoint is what was touched; `sequence` is its number."""

_DOMAIN = b"beholden ledger checkpoint 1\n"


@dataclass(frozen=True, slots=True)
class Span:
    """The entries `first` to `last` of one writer's chain; `head` is the last one's hash.

    `root` is the Merkle root over their leaves (hex).
    """

    writer: str
    first: int
    last: int
    head: str
    root: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """`ordinal` counts from 1; `previous` is the hash of the one before it (ORIGIN for the first).

    `entries` counts what all checkpoints up to this one cover. `writers` is the newest writer's
    ordinal and `link` its link. Entries up to checkpoint `dropped` may have been removed by the
    operator (0: none). `key` is the signing key's id, `signature` Ed25519 (hex).
    """

    ordinal: int
    previous: str
    time_ns: int
    entries: int
    writers: int
    link: str
    dropped: int
    spans: tuple[Span, ...]
    key: str = ""
    signature: str = ""

    def statement(self) -> bytes:
        """What is signed: the canonical JSON of all but the signature, after a line that says what it is."""
        said = asdict(self)
        del said["signature"]
        return _DOMAIN + canonical_json(said, "checkpoint").encode()

    @property
    def hash(self) -> str:
        """SHA-256 of the statement, as hex."""
        return hashlib.sha256(self.statement()).hexdigest()


def in_order(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans as a checkpoint states them: by their writers' ids."""
    return tuple(sorted(spans, key=lambda span: span.writer))


def signed(checkpoint: Checkpoint, signer: Signer) -> Checkpoint:
    """The checkpoint with the signer's key and signature."""
    named = replace(checkpoint, key=signer.id, signature="")
    return replace(named, signature=signer.sign(named.statement()))


def leaf(writer: str, sequence: int, entry_hash: str) -> bytes:
    """An entry's leaf in its span's tree: which entry it is, and its hash (hex), as ASCII."""
    return leaf_hash(f"{writer} {sequence} {entry_hash}".encode())


def check_signature(checkpoint: Checkpoint, keys: TrustedKeys) -> str:
    """What is wrong with the signature; empty where it is right."""
    if checkpoint.key not in keys:
        return f"is signed with a key that is not trusted here: {checkpoint.key}"
    try:
        statement = checkpoint.statement()
    except InvalidArgument:
        return "holds what no checkpoint can"
    if not keys.signed(checkpoint.key, statement, checkpoint.signature):
        return "was changed after it was signed, or is forged"
    return ""


def check_checkpoint(
    checkpoint: Checkpoint, before: Checkpoint | None, keys: TrustedKeys
) -> Iterator[Breach]:
    """What is wrong with a checkpoint that should follow `before`."""
    ordinal = before.ordinal + 1 if before else 1
    if checkpoint.ordinal != ordinal:
        missing = f"{ordinal}" if checkpoint.ordinal == ordinal + 1 else f"{ordinal} and on"
        yield Breach(CHECKPOINTS, ordinal, f"checkpoint {missing} is missing")
    elif checkpoint.previous != (before.hash if before else ORIGIN):
        yield _breach(checkpoint, "does not follow the one before it")
    problem = check_signature(checkpoint, keys)
    if problem:
        yield _breach(checkpoint, problem)
    entries = (before.entries if before else 0) + covered(checkpoint.spans)
    if checkpoint.ordinal == ordinal and checkpoint.entries != entries:
        yield _breach(checkpoint, f"counts {checkpoint.entries} entries where there are {entries}")
    if (before and checkpoint.dropped < before.dropped) or checkpoint.dropped >= checkpoint.ordinal:
        yield _breach(checkpoint, "says that entries were dropped which were not")


def covered(spans: Sequence[Span]) -> int:
    """How many entries spans hold."""
    return sum(span.last - span.first + 1 for span in spans)


def _breach(checkpoint: Checkpoint, problem: str) -> Breach:
    return Breach(CHECKPOINTS, checkpoint.ordinal, f"checkpoint {checkpoint.ordinal} {problem}")
