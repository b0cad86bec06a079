"""From an engine's bare answer to an explanation; one that is not understood is none."""

from __future__ import annotations

from collections.abc import Mapping

from beholden.core.errors import Unavailable
from beholden.core.law import Evaluation, Explanation, Json, Matching, Remedy


def parse_explanation(evaluation: Evaluation, engine: str) -> Explanation:
    """The explanation in an answer, in the order of its law entries; empty where undefined.

    Raises Unavailable, naming the engine, where the answer is not of the shape.
    """
    document = evaluation.document
    if document is None:
        return Explanation(evaluation.revision)
    try:
        restrictions, exemptions = _fields(document, "restrictions", "exemptions")
        return Explanation(
            evaluation.revision,
            tuple(sorted((_matching(one) for one in _list(restrictions)), key=lambda one: one.law)),
            tuple(sorted((_remedy(one) for one in _list(exemptions)), key=lambda one: one.law)),
        )
    except TypeError:
        raise Unavailable(engine, "the law's explanation could not be understood") from None


def _matching(value: Json) -> Matching:
    law, message, lifted_by = _fields(value, "law", "message", "lifted_by")
    return Matching(_text(law), _text(message), _texts(lifted_by))


def _remedy(value: Json) -> Remedy:
    law, message, lifts, lacks = _fields(value, "law", "message", "lifts", "lacks")
    return Remedy(_text(law), _text(message), _texts(lifts), _texts(lacks))


def _fields(value: Json, *names: str) -> list[Json]:
    if not isinstance(value, Mapping) or value.keys() != set(names):
        raise TypeError
    return [value[name] for name in names]


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(sorted(map(_text, _list(value))))


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
