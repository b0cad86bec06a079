"""The ledger's words: records, the chain's entries, and what a verification found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from beholden.core.law import Json

DECISION = "decision"
OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Record:
    """What is written down. `id` names the decision (UUIDv7); its outcome carries the same `id`.

    `kind` is DECISION or OUTCOME; `time_ns` is Unix time; `body` is plain JSON without media,
    templates or secrets (floats finite).
    """

    id: str
    kind: str
    time_ns: int
    tenant: str
    principal: str
    action: str
    allowed: bool
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in its place: `hash` = SHA-256 over `previous` and the record's canonical form (hex)."""

    writer: str
    sequence: int
    record: Record
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Breach:
    """One place where the chain does not hold, in words that name it."""

    writer: str
    sequence: int
    problem: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What reading the whole ledger found: it holds when `breaches` is empty.

    `checkpoints` is the number of the newest one, `covered` how many entries it and those before it
    were signed for, and `checkpoint` its hash, to be kept elsewhere; 0 and empty where there is none.
    """

    entries: int
    writers: int
    head: str
    breaches: tuple[Breach, ...] = ()
    checkpoints: int = 0
    covered: int = 0
    checkpoint: str = ""

    @property
    def holds(self) -> bool:
        """True when no breach was found."""
        return not self.breaches
