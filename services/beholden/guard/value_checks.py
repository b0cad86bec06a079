"""What one value of a request must keep: finite numbers, ranges, lengths, patterns, known names."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from beholden.guard.fields import AnnotationError, limits_of

FLOATS = {FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE}
NUMBERS = FLOATS | {
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
}

_MOST_PROBLEMS = 10
# Strings go to logs, terminals and the law; one of the policy engines ends them at a NUL.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(slots=True)
class Findings:
    """What checking one request found. `size` is its bytes on the wire: no field is longer."""

    size: int
    messages: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)

    def add(self, path: str, problem: str) -> None:
        """Notes that the field at the dotted `path` is wrong; the first few are enough."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append((path, problem))


Check = Callable[[Any, str, Findings], None]
"""Notes what is wrong with a value at a dotted path."""


def scalar_check(field: FieldDescriptor) -> Check | None:
    """The check of one value of a field that is no message; None where any value will do.

    Raises AnnotationError for a pattern that does not compile.
    """
    if field.enum_type is not None:
        return _enum(field)
    if field.cpp_type in NUMBERS:
        return _number(field)
    if field.type == FieldDescriptor.TYPE_STRING:
        return _string(field)
    if field.type == FieldDescriptor.TYPE_BYTES and limits_of(field).max_length:
        return _length(limits_of(field).max_length, "bytes")
    return None


def timestamp(value: Any, prefix: str, findings: Findings) -> None:
    """Keeps a google.protobuf.Timestamp in its range: the years 1 to 9999."""
    if not (-62135596800 <= value.seconds <= 253402300799 and 0 <= value.nanos <= 999_999_999):
        findings.add(prefix.rstrip("."), "must be a time in the years 1 to 9999")


def plain(text: str, path: str, findings: Findings) -> bool:
    """Whether the text has no control characters but tabs and line ends."""
    if _CONTROL.search(text):
        findings.add(path, "must not have control characters")
        return False
    return True


def _enum(field: FieldDescriptor) -> Check:
    assert field.enum_type is not None
    numbers = field.enum_type.values_by_number
    wanted = f"must be one of {', '.join(value.name for value in numbers.values())}"

    def enum(value: int, path: str, findings: Findings) -> None:
        if value not in numbers:
            findings.add(path, wanted)

    return enum


def _number(field: FieldDescriptor) -> Check | None:
    limits = limits_of(field)
    least = limits.min if limits.HasField("min") else -math.inf
    most = limits.max if limits.HasField("max") else math.inf
    if field.cpp_type not in FLOATS and math.isinf(least) and math.isinf(most):
        return None
    wanted = _range(least, most)

    def number(value: float, path: str, findings: Findings) -> None:
        if not math.isfinite(value):
            findings.add(path, "must be a finite number")
        elif not least <= value <= most:
            findings.add(path, wanted)

    return number


def _range(least: float, most: float) -> str:
    if math.isinf(most):
        return f"must be at least {least:.15g}"
    if math.isinf(least):
        return f"must be at most {most:.15g}"
    return f"must be from {least:.15g} to {most:.15g}"


def _string(field: FieldDescriptor) -> Check:
    limits = limits_of(field)
    try:
        pattern = re.compile(limits.pattern) if limits.pattern else None
    except re.error as error:
        raise AnnotationError(
            f"{field.full_name}: the pattern does not compile: {error}"
        ) from error
    wanted = f"must be {limits.wants}" if limits.wants else f"must match {limits.pattern}"
    most = limits.max_length
    too_long = _length(most, "characters")
    # A single string may be left out, which is what empty means; an item of a list may not.
    always = field.is_repeated

    def string(value: str, path: str, findings: Findings) -> None:
        if most and len(value) > most:
            too_long(value, path, findings)
        elif (
            plain(value, path, findings)
            and pattern is not None
            and (value or always)
            and not pattern.fullmatch(value)
        ):
            findings.add(path, wanted)

    return string


def _length(most: int, unit: str) -> Check:
    def length(value: str | bytes, path: str, findings: Findings) -> None:
        if len(value) > most:
            findings.add(path, f"has {len(value)} {unit}, at most {most} are taken")

    return length
