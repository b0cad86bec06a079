"""What a pull and a check have to say, and how a pull tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """What a pull is at."""

    WAIT = "wait"
    FETCH = "fetch"
    CONVERT = "convert"


@dataclass(frozen=True, slots=True)
class Step:
    """How far a pull is: `done` of `total` bytes for a fetch (None: not known), else of 1 step.

    `detail` is the source or the converter at work.
    """

    model: str
    stage: Stage
    detail: str = ""
    done: int = 0
    total: int | None = None


Progress = Callable[[Step], None]


class Outcome(StrEnum):
    """What became of one model in a pull."""

    PULLED = "pulled"
    INTACT = "intact"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One source that could not give the files, and what it said."""

    source: str
    problem: str


@dataclass(frozen=True, slots=True)
class PullReport:
    """What became of one model: `source` gave it, or `detail` and `attempts` say why it is not there."""

    name: str
    role: str
    outcome: Outcome
    source: str = ""
    digest: str = ""
    detail: str = ""
    attempts: tuple[Attempt, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the model lies in the repository, intact."""
        return self.outcome in {Outcome.PULLED, Outcome.INTACT}


class State(StrEnum):
    """What lies in the repository for one model."""

    INTACT = "intact"
    ABSENT = "absent"
    DAMAGED = "damaged"
    OUTDATED = "outdated"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What lies in the repository for one model; `remedy` is the command that would mend it."""

    name: str
    role: str
    state: State
    problem: str = ""
    digest: str = ""
    source: str = ""
    remedy: str = ""

    @property
    def ok(self) -> bool:
        """Whether the model can be served."""
        return self.state is State.INTACT
