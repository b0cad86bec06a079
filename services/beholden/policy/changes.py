"""What changed between two laws, in words: entry by entry, and rule by rule."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from beholden.policy.law import RULES, Law

ADDED, REMOVED, CHANGED = "added", "removed", "changed"

# Where the law's named entries lie: everything below one of these is part of that entry.
_ENTRIES = (
    ("law", "*", "*"),
    ("law", "purposes", "known", "*"),
    ("law", "thresholds", "min_similarity", "*"),
    ("law", "limits", "max_results", "*"),
    ("regimes", "*", "restrictions", "*"),
    ("regimes", "*", "exemptions", "*"),
    ("regimes", "*", "consent", "*"),
    ("regimes", "*", "duties", "*"),
    ("regimes", "*", "*"),
)
_NAMES = {
    "exemptions": "exemption",
    "moratoria": "restriction",
    "restrictions": "restriction",
    "issuers": "issuer",
    "consent": "consent",
    "duties": "duty",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the law: where it is, whether it was added, removed or changed, and that in words."""

    place: str
    kind: str
    words: str


def changes(before: Law, after: Law) -> Iterator[Change]:
    """In the order of their places; modules last."""
    old, new = _entries(before.data), _entries(after.data)
    for place in sorted(old.keys() | new.keys()):
        if place not in old:
            yield Change("/".join(place), ADDED, _told(place, new[place]))
        elif place not in new:
            yield Change("/".join(place), REMOVED, _told(place, old[place]))
        elif old[place] != new[place]:
            words = "; ".join(_differences(old[place], new[place], ""))
            yield Change("/".join(place), CHANGED, words)
    for path in sorted(before.modules.keys() | after.modules.keys()):
        kind = _kind(before.modules.get(path), after.modules.get(path))
        if kind:
            yield Change(path, kind, _module(path))


def _entries(data: Mapping[str, Any]) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}

    def walk(value: Any, place: tuple[str, ...]) -> None:
        deeper = isinstance(value, Mapping) and any(
            len(pattern) > len(place) and _fits(pattern[: len(place)], place)
            for pattern in _ENTRIES
        )
        if not deeper:
            found[place] = value
            return
        for name, one in value.items():
            walk(one, (*place, name))

    walk(data, ())
    return found


def _fits(pattern: tuple[str, ...], place: tuple[str, ...]) -> bool:
    return all(one in ("*", name) for one, name in zip(pattern, place, strict=True))


def _told(place: tuple[str, ...], value: Any) -> str:
    """An entry in a sentence."""
    what = next((_NAMES[name] for name in reversed(place[:-1]) if name in _NAMES), "")
    if not isinstance(value, Mapping):
        return _said(value)
    says = str(value.get("says") or value.get("title") or "")
    dates = ""
    if "since" in value:
        until = f"until {value['until']}" if value.get("until") else "until further notice"
        dates = f", since {value['since']}, {until}"
    return f"{what}: {says}{dates}".removeprefix(": ") if says else _said(value)


def _differences(old: Any, new: Any, name: str) -> Iterator[str]:
    """What is other, by the names of its parts."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted(old.keys() | new.keys()):
            path = f"{name}.{key}".removeprefix(".")
            if key not in old:
                yield f"{path} is now {_said(new[key])}"
            elif key not in new:
                yield f"{path} is gone, was {_said(old[key])}"
            else:
                yield from _differences(old[key], new[key], path)
    elif isinstance(old, list) and isinstance(new, list):
        more = [one for one in new if one not in old]
        less = [one for one in old if one not in new]
        here = f"{name}: " if name else ""
        if more:
            yield f"{here}with {', '.join(map(_said, more))}"
        if less:
            yield f"{here}without {', '.join(map(_said, less))}"
        if not more and not less and old != new:
            yield f"{here}in another order"
    elif old != new or type(old) is not type(new):
        yield f"{name or 'it'} was {_said(old)}, is {_said(new)}"


def _said(value: Any) -> str:
    if value == "":
        return "open"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _kind(old: str | None, new: str | None) -> str:
    if old == new:
        return ""
    if old is None:
        return ADDED
    return REMOVED if new is None else CHANGED


def _module(path: str) -> str:
    parts = tuple(path.split("/"))
    return (
        f"the rule {parts[2]}" if parts[:2] == RULES and len(parts) > 3 else "a module of the rules"
    )
