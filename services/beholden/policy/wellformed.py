"""Says where law is malformed, or uses a word that it does not define."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from pydantic import ValidationError

from beholden.core.errors import FailedPrecondition
from beholden.policy.law import Law
from beholden.policy.schema import Document


def check_law(law: Law) -> Law:
    """The law, unchanged. Raises FailedPrecondition, saying where it is malformed, if it is."""
    found = list(problems(law))
    if found:
        raise FailedPrecondition(
            f"the law is malformed: {'; '.join(found[:10])}", remedy="correct it and load it again"
        )
    return law


def problems(law: Law) -> Iterator[str]:
    """Every place where the law is malformed or uses a word that it does not define."""
    try:
        document = Document.model_validate(law.data, context=_vocabulary(law))
    except ValidationError as error:
        for problem in error.errors():
            yield f"{'/'.join(map(str, problem['loc']))}: {problem['msg']}"
        return
    for rule in sorted(set(law.rules) - set(document.law.required_rules)):
        yield f"law/required_rules: the rule {rule!r} is there and would not be asked"


def _vocabulary(law: Law) -> Mapping[str, Set[str]]:
    topics = {topic: _keys(law.data, "law", topic) for topic in _object(law.data, "law")}
    regimes = _keys(law.data, "regimes")
    restrictions = {f"moratoria/{key}" for key in topics.get("moratoria", ())}
    for regime in regimes:
        keys = _keys(law.data, "regimes", regime, "restrictions")
        restrictions |= {f"{regime}/{key}" for key in keys}
    named = {
        "acquisitions": _keys(law.data, "law", "provenance", "acquisitions"),
        "purposes": _keys(law.data, "law", "purposes", "known"),
        "regimes": regimes,
        "restrictions": restrictions,
        "rules": set(law.rules),
    }
    wanted = {
        name: set[str]() for name in ("actions", "classes", "kinds", "events", "jurisdictions")
    }
    return wanted | topics | named


def _keys(data: Any, *path: str) -> set[str]:
    return set(_object(data, *path))


def _object(data: Any, *path: str) -> Mapping[str, Any]:
    for name in path:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}
