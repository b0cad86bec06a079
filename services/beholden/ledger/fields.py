"""Reads dataclasses and rows back from JSON that somebody else may have written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from beholden.core.errors import InvalidArgument

_INT64 = 2**63


def taken(wanted: Mapping[str, type], given: Any, where: str) -> dict[str, Any]:
    """Exactly the fields that are wanted, each of its type. Raises InvalidArgument naming `where`."""
    if not isinstance(given, Mapping):
        raise InvalidArgument(where, "must be an object")
    fields: dict[str, Any] = dict(given)
    if odd := sorted(map(str, fields.keys() ^ wanted.keys())):
        problem = "is missing" if odd[0] in wanted else "is not known"
        raise InvalidArgument(f"{where}.{odd[0]}", problem)
    for name, kind in wanted.items():
        value = fields[name]
        if type(value) is not kind or (isinstance(value, int) and not -_INT64 <= value < _INT64):
            raise InvalidArgument(f"{where}.{name}", f"must be {_SAID[kind]}")
    return fields


_SAID = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}
