"""Facts as the engines take them: JSON text, within limits, of which both make the same."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from beholden.core.errors import InvalidArgument
from beholden.core.law import Facts, Json

MAX_INTEGER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class FactLimits:
    """How large the facts of one call may be, so that deciding stays quick and memory bounded."""

    characters: int = 4096
    """In one string or key."""

    values: int = 512
    """In all: every member of a list or object counts, at every depth."""

    depth: int = 8
    """Lists and objects within one another, the facts themselves included."""


def encode(facts: Facts, limits: FactLimits) -> str:
    """The facts as ASCII JSON, floats at full precision.

    Raises InvalidArgument, naming the fact, for what JSON cannot say (NaN, infinities, other
    types), for strings with NUL or half a surrogate pair, for integers beyond 64 bits, and for
    facts over the limits.
    """
    return json.dumps(_Plain(limits).of(facts, "facts", 1), allow_nan=False, separators=(",", ":"))


class _Plain:
    """Copies a value into plain lists and dicts, counting as it goes."""

    def __init__(self, limits: FactLimits) -> None:
        self._limits = limits
        self._values = 0

    def of(self, value: Json, path: str, depth: int) -> Json:
        match value:
            case None | bool():
                return value
            case str():
                return self._text(value, path)
            case int():
                if abs(value) > MAX_INTEGER:
                    raise InvalidArgument(path, "must be an integer of at most 64 bits")
                return int(value)
            case float():
                if not math.isfinite(value):
                    raise InvalidArgument(path, "must be a finite number")
                return float(value)
            case Mapping():
                self._count(len(value), path, depth)
                return {
                    self._text(key, f"{path} (a key)"): self.of(item, f"{path}.{key}", depth + 1)
                    for key, item in value.items()
                }
            case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
                self._count(len(value), path, depth)
                return [
                    self.of(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)
                ]
        raise InvalidArgument(path, f"must be a JSON value, is {type(value).__name__}")

    def _text(self, value: object, path: str) -> str:
        if not isinstance(value, str):
            raise InvalidArgument(path, f"must be a string, is {type(value).__name__}")
        if len(value) > self._limits.characters:
            raise InvalidArgument(path, f"must have at most {self._limits.characters} characters")
        if "\0" in value:
            raise InvalidArgument(path, "must not hold the character NUL")
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidArgument(path, "must be valid Unicode")
        return str(value)

    def _count(self, members: int, path: str, depth: int) -> None:
        if depth > self._limits.depth:
            raise InvalidArgument(path, f"must not be nested deeper than {self._limits.depth}")
        self._values += members
        if self._values > self._limits.values:
            raise InvalidArgument(
                path, f"the facts must hold at most {self._limits.values} values in all"
            )
