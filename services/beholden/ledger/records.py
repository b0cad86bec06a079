"""What may be written down: the check of a record before it waits for its commit."""

from __future__ import annotations

from collections.abc import Mapping

from beholden.core.errors import InvalidArgument
from beholden.core.record import DECISION, OUTCOME, Record
from beholden.ledger.chain import canonical_json

_INT64 = 2**63


def checked_body(record: Record, most: int) -> str:
    """The record's body as canonical JSON of at most `most` bytes.

    Raises InvalidArgument for a record that no database could give back unchanged: one bad
    record must not fail the commit that others share.
    """
    if record.kind not in (DECISION, OUTCOME):
        raise InvalidArgument("record.kind", f"must be {DECISION} or {OUTCOME}")
    if not isinstance(record.time_ns, int) or not 0 <= record.time_ns < _INT64:
        raise InvalidArgument("record.time_ns", "must be Unix nanoseconds")
    if not isinstance(record.allowed, bool):
        raise InvalidArgument("record.allowed", "must be true or false")
    for name in ("id", "tenant", "principal", "action"):
        _check_text(f"record.{name}", getattr(record, name))
    if not isinstance(record.body, Mapping):
        raise InvalidArgument("record.body", "must be an object")
    body = canonical_json(record.body)
    if len(body) > most:
        raise InvalidArgument("record.body", f"must be at most {most} bytes of JSON")
    return body


def _check_text(field: str, value: object) -> None:
    if not isinstance(value, str) or "\0" in value:
        raise InvalidArgument(field, "must be text without NUL")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(field, "must be valid Unicode") from None
