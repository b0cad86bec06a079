"""Reads an engine's answer strictly: whatever is odd about it denies."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from beholden.core.law import Decision, Evaluation, Json, Obligation, Reason

T = TypeVar("T")

FIELDS = {"allow", "reasons", "obligations", "exemptions", "advice", "answered"}
REASON_FIELDS = {"code", "law", "message", "since", "until", "lifted_by"}
OBLIGATION_FIELDS = {"kind", "value", "law"}

UNDEFINED = Reason(
    code="POLICY_UNDEFINED",
    message="The law gives no answer to this call, and without one nothing is allowed.",
)
MALFORMED = Reason(
    code="POLICY_ANSWER_MALFORMED",
    message="The law's answer could not be understood, and on such an answer nothing is allowed.",
)
UNEXPLAINED = Reason(code="DENIED", message="The law refuses this call without saying why.")


def parse(evaluation: Evaluation) -> Decision:
    """The decision in an answer; undefined, incomplete or contradictory answers deny.

    Obligations of kinds that nobody knows are kept: whoever honours them must refuse those.
    """
    if evaluation.document is None:
        return Decision(False, evaluation.revision, reasons=(UNDEFINED,))
    try:
        return _decision(evaluation.document, evaluation.revision)
    except (TypeError, KeyError):
        return Decision(False, evaluation.revision, reasons=(MALFORMED,))


def _decision(document: Json, revision: str) -> Decision:
    fields = _object(document, FIELDS)
    allowed = fields["allow"]
    reasons = _list(fields["reasons"], _reason)
    if not isinstance(allowed, bool) or (allowed and reasons):
        raise TypeError("allow must be a boolean, and true only without reasons")
    return Decision(
        allowed=allowed,
        revision=revision,
        reasons=reasons if reasons or allowed else (UNEXPLAINED,),
        obligations=_list(fields["obligations"], _obligation),
        exemptions=_list(fields["exemptions"], _text),
        advice=_list(fields["advice"], _text),
        answered=_list(fields["answered"], _text),
    )


def _reason(value: Json) -> Reason:
    fields = {name: _text(text) for name, text in _object(value, REASON_FIELDS).items()}
    return Reason(**fields)


def _obligation(value: Json) -> Obligation:
    fields = _object(value, OBLIGATION_FIELDS)
    return Obligation(_text(fields["kind"]), fields["value"], _text(fields["law"]))


def _object(value: Json, fields: set[str]) -> dict[str, Json]:
    if not isinstance(value, dict) or value.keys() != fields:
        raise TypeError(f"must be an object of {', '.join(sorted(fields))}")
    return value


def _list(value: Json, item: Callable[[Json], T]) -> tuple[T, ...]:
    if not isinstance(value, list):
        raise TypeError("must be a list")
    return tuple(item(member) for member in value)


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError("must be a string")
    return value
