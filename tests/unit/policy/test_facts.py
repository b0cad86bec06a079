import json
from types import MappingProxyType
from typing import Any

import pytest

from beholden.core.errors import InvalidArgument
from beholden.policy.facts import FactLimits, encode

LIMITS = FactLimits(characters=10, values=6, depth=3)


def test_says_what_it_was_given() -> None:
    facts = MappingProxyType({"a": (1, 2.5, True, None), "é": 'q"\\\n'})
    assert json.loads(encode(facts, LIMITS)) == {"a": [1, 2.5, True, None], "é": 'q"\\\n'}


def test_is_ascii_and_keeps_every_digit() -> None:
    text = encode({"f": 0.9899999, "i": 2**63 - 1, "s": "𝔭"}, LIMITS)
    assert text.isascii()
    assert '"f":0.9899999,"i":9223372036854775807' in text


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"a": {"b": [float("nan")]}}, "facts.a.b[0]"),
        ({"a": float("-inf")}, "facts.a"),
        ({"a": 2**63}, "facts.a"),
        ({"a": "x" * 11}, "facts.a"),
        ({"x" * 11: 1}, "facts (a key)"),
        ({"a": "\0"}, "facts.a"),
        ({"a": "\udc00"}, "facts.a"),
        ({"a": b"x"}, "facts.a"),
        ({"a": bytearray(b"x")}, "facts.a"),
        ({"a": object()}, "facts.a"),
        ({"a": {1, 2}}, "facts.a"),
        ({1: "a"}, "facts (a key)"),
        ({"a": [0] * 6}, "facts.a"),
        ({"a": [0, 0, 0], "b": [0, 0]}, "facts.b"),
        ({"a": {"b": {"c": 1}}}, None),
        ({"a": {"b": {"c": {}}}}, "facts.a.b.c"),
    ],
)
def test_names_what_is_out_of_bounds(facts: Any, field: str | None) -> None:
    if field is None:
        encode(facts, LIMITS)
        return
    with pytest.raises(InvalidArgument) as caught:
        encode(facts, LIMITS)
    assert caught.value.field == field
