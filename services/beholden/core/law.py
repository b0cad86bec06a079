"""Facts in, decision out: the words between the guard and the policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Facts = Mapping[str, Json]
"""The policy's `input`; see policies/README.md for its shape."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a call is refused: a `code`, the `law` entry behind it, and what a person should read.

    `since` and `until` are dates or instants in ISO 8601, `until` empty when open-ended;
    `lifted_by` says what would lift it.
    """

    code: str
    law: str = ""
    message: str = ""
    since: str = ""
    until: str = ""
    lifted_by: str = ""


@dataclass(frozen=True, slots=True)
class Obligation:
    """What an allowed call must still honour: `min_similarity`, `max_results`, `redact`, ..."""

    kind: str
    value: Json
    law: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """Allow or deny: a pure function of the law at `revision` and the facts."""

    allowed: bool
    revision: str
    reasons: tuple[Reason, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    exemptions: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
    answered: tuple[str, ...] = ()

    def explanation(self) -> str:
        """One sentence that a person can act on."""
        if self.allowed:
            return "allowed"
        return "; ".join(reason.message or reason.code for reason in self.reasons) or "denied"


@dataclass(frozen=True, slots=True)
class Matching:
    """A restriction that matches a call: the `law` entry, the sentence, and the exemptions lifting it."""

    law: str
    message: str = ""
    lifted_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remedy:
    """An exemption from restrictions that match a call; it holds where nothing is `lacking`.

    `lacking` are the conditions, in words, that the call does not meet.
    """

    law: str
    message: str = ""
    lifts: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What stands behind a decision under the law at `revision`."""

    revision: str
    restrictions: tuple[Matching, ...] = ()
    exemptions: tuple[Remedy, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A policy engine's bare answer: the entrypoint's document, None where undefined."""

    document: Json
    revision: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A change that a candidate law would make to a tenant's calls, how often, and decisions it would."""

    change: str
    tenant: str
    action: str
    laws: tuple[str, ...]
    count: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShadowStatus:
    """What a candidate law would have changed since `since_ns` (Unix), when it was taken up.

    `compared` decisions were; `dropped` were not, since it was behind; at `failed` it gave no answer.
    `problem` says why the candidate could not be taken up.
    """

    revision: str
    since_ns: int
    compared: int = 0
    dropped: int = 0
    failed: int = 0
    differences: tuple[Difference, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class PolicyStatus:
    """Which law is in force, since when (Unix ns), and how it was loaded.

    `problem` says why a newer law was not taken up; empty where the newest is in force.
    """

    engine: str
    revision: str
    loaded_ns: int
    healthy: bool
    detail: str = ""
    problem: str = ""
