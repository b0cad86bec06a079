"""What another law would have decided otherwise: each change, counted by whom it is for, with examples."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from beholden.core.law import Decision

REFUSED, ALLOWED = "newly refused", "newly allowed"
REASONS, DUTIES = "refused by other law", "other obligations"

_MOST_GROUPS = 10_000
_EXAMPLES = 3


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """What changed for whom: the change, the tenant, the action and the law entries behind it."""

    change: str
    tenant: str
    action: str
    laws: tuple[str, ...]


@dataclass(slots=True)
class Findings:
    """How many decisions were replayed, could not be, and changed; with ids as examples."""

    replayed: int = 0
    unreadable: int = 0
    changed: Counter[Group] = field(default_factory=Counter)
    examples: defaultdict[Group, list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, group: Group, ids: Iterable[str], count: int = 1) -> None:
        """Counts a change; groups beyond a bound are counted together."""
        if group not in self.changed and len(self.changed) >= _MOST_GROUPS:
            group = Group(group.change, "others", "", ())
        self.changed[group] += count
        kept = self.examples[group]
        kept += islice(ids, _EXAMPLES - len(kept))

    def add(self, other: Findings) -> None:
        """Takes in what another part of the records showed."""
        self.replayed += other.replayed
        self.unreadable += other.unreadable
        for group, count in other.changed.items():
            self.note(group, other.examples[group], count)


def compare(before: Mapping[str, Any], after: Decision) -> tuple[str, tuple[str, ...]] | None:
    """The change from a recorded decision, with the law entries behind it; None where there is none."""
    was = {str(one["law"] or one["code"]) for one in before["reasons"]}
    now = {one.law or one.code for one in after.reasons}
    if before["allowed"] and not after.allowed:
        return REFUSED, tuple(sorted(now))
    if after.allowed and not before["allowed"]:
        return ALLOWED, tuple(sorted(was))
    if not after.allowed:
        return (REASONS, tuple(sorted(was ^ now))) if was != now else None
    old = {_duty(one["kind"], one["value"]): one["law"] for one in before["obligations"]}
    new = {_duty(one.kind, one.value): one.law for one in after.obligations}
    laws = {law for duty, law in (old | new).items() if (duty in old) != (duty in new)}
    return (DUTIES, tuple(sorted(laws))) if old.keys() != new.keys() else None


def _duty(kind: str, value: Any) -> str:
    # As numbers 20 and 20.0 are one, and lists may come in any order from a set.
    if isinstance(value, list | tuple):
        value = sorted(map(str, value))
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{kind} {value}"
