"""Checks a request against the limits in its protos, by a plan compiled once for each message type."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from beholden.core.errors import InvalidArgument
from beholden.guard.call import Answer, Call, Next
from beholden.guard.errors import InvalidFields
from beholden.guard.fields import AnnotationError, is_map, limits_of
from beholden.guard.value_checks import NUMBERS, Check, Findings, plain, scalar_check, timestamp

if TYPE_CHECKING:
    from beholden.guard.methods import Method

# A megabyte of nested messages takes a second to walk; no request of ours comes near this many.
_MOST_MESSAGES = 10_000


class Validation:
    """Parses the request, now that its sender is known, and checks every field; of each in a stream."""

    async def __call__(self, call: Call, proceed: Next) -> Answer:
        """Raises InvalidArgument naming each field that is wrong."""
        call.request = parsed(call.method, call.raw, prefix="")
        call.raw = b""
        call.rest = _each(call)
        return await proceed(call)


async def _each(call: Call) -> AsyncIterator[Message]:
    number = 1
    async for raw in call.raw_rest:
        yield parsed(call.method, raw, prefix=f"messages[{number}].")
        number += 1


def parsed(method: Method, raw: bytes, *, prefix: str) -> Message:
    """The message; errors name its fields after `prefix`. Raises InvalidArgument."""
    kind = method.request
    try:
        message = kind.FromString(raw)
    except DecodeError:
        where = prefix.rstrip(".") or "request"
        raise InvalidArgument(where, f"is no {kind.DESCRIPTOR.full_name}") from None
    check(method.limits, message, len(raw), prefix)
    return message


class Plan:
    """The checks of one message type."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def __call__(self, message: Any, prefix: str, findings: Findings) -> None:
        """Notes every field that is wrong; `prefix` is the message's path with a dot behind it.

        Raises InvalidArgument when the request holds too many messages to look at them all.
        """
        findings.messages += 1
        if findings.messages > _MOST_MESSAGES:
            raise InvalidArgument(prefix.rstrip("."), f"holds more than {_MOST_MESSAGES} values")
        for one in self.checks:
            one(message, prefix, findings)


def check(plan: Plan, request: Message, size: int, prefix: str = "") -> None:
    """Raises InvalidArgument for a request, of `size` bytes on the wire, that does not keep its limits."""
    findings = Findings(size)
    plan(request, prefix, findings)
    if findings.problems:
        raise InvalidFields(tuple(findings.problems))


def compile_limits(message: Descriptor) -> Plan:
    """The plan for a message type. Raises AnnotationError for limits that cannot be kept."""
    return _plan(message, {})


def _plan(message: Descriptor, known: dict[str, Plan]) -> Plan:
    # Known before it is filled: a message may hold itself, as google.protobuf.Value does.
    if message.full_name not in known:
        plan = known[message.full_name] = Plan()
        plan.checks.extend(one for field in message.fields if (one := _field(field, known)))
        if message.full_name == "google.protobuf.Timestamp":
            plan.checks.append(timestamp)
    return known[message.full_name]


def _field(field: FieldDescriptor, known: dict[str, Plan]) -> Check | None:
    if is_map(field):
        assert field.message_type is not None
        return _map(field, _value(field.message_type.fields_by_name["value"], known))
    return (_list if field.is_repeated else _single)(field, _value(field, known))


def _value(field: FieldDescriptor, known: dict[str, Plan]) -> Check | None:
    return scalar_check(field) if field.message_type is None else _message(field, known)


def _single(field: FieldDescriptor, value: Check | None) -> Check | None:
    name, present, limits = field.name, field.has_presence, limits_of(field)
    countable = field.cpp_type in NUMBERS or field.type == FieldDescriptor.TYPE_BOOL
    if limits.required and countable and not present:
        raise AnnotationError(f"{field.full_name}: required, but 0 cannot be told from absent")

    def single(message: Any, prefix: str, findings: Findings) -> None:
        found = None if present and not message.HasField(name) else getattr(message, name)
        if limits.required and not found and (found is None or not countable):
            findings.add(prefix + name, "is required")
        elif found is not None and value is not None:
            value(found, prefix + name, findings)

    def long_bytes(message: Any, prefix: str, findings: Findings) -> None:
        # Reading bytes copies them: left out where the whole request is no longer than they may be.
        if findings.size > limits.max_length:
            single(message, prefix, findings)

    if limits.required or value is not None:
        short = field.type == FieldDescriptor.TYPE_BYTES and not limits.required
        return long_bytes if short else single
    return None


def _list(field: FieldDescriptor, value: Check | None) -> Check:
    name, limits = field.name, limits_of(field)

    def each(message: Any, prefix: str, findings: Findings) -> None:
        items = getattr(message, name)
        if _countable(items, limits, prefix + name, findings) and value is not None:
            for place, item in enumerate(items):
                value(item, f"{prefix}{name}[{place}]", findings)

    return each


def _map(field: FieldDescriptor, value: Check | None) -> Check:
    name, limits = field.name, limits_of(field)

    def each(message: Any, prefix: str, findings: Findings) -> None:
        items = getattr(message, name)
        if _countable(items, limits, prefix + name, findings):
            for key, item in items.items():
                if plain(str(key), prefix + name, findings) and value is not None:
                    value(item, f"{prefix}{name}[{key}]", findings)

    return each


def _countable(items: Any, limits: Any, path: str, findings: Findings) -> bool:
    count = len(items)
    if limits.required and not count:
        findings.add(path, "must hold one at least")
    elif limits.max_items and count > limits.max_items:
        findings.add(path, f"holds {count}, at most {limits.max_items} are taken")
        return False
    return True


def _message(field: FieldDescriptor, known: dict[str, Plan]) -> Check:
    assert field.message_type is not None
    plan = _plan(field.message_type, known)
    # A proto3 `optional` makes a oneof of its own, named after its one field.
    choices = [
        [choice.name for choice in oneof.fields]
        for oneof in field.message_type.oneofs
        if limits_of(field).required and oneof.name != f"_{oneof.fields[0].name}"
    ]

    def message(value: Any, path: str, findings: Findings) -> None:
        for names in choices:
            if not any(value.HasField(name) for name in names):
                findings.add(path, f"must set {' or '.join(names)}")
        plan(value, f"{path}.", findings)

    return message
