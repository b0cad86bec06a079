"""More restrictions never allow more, more exemptions never deny more, whatever the rest of the law."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from beholden.core.errors import Unavailable
from beholden.core.ports import PolicyEngine
from beholden.policy.law import Law
from tests.contract.policy_engines import changed, law, opened
from tests.contract.policy_facts import JUNK, KINDS, PURPOSES, random_facts

CLASSES = sorted(law().data["law"]["classes"])  # type: ignore[index, call-overload, type-var, arg-type]
POLICE_PURPOSES = ["criminal_investigation", "missing_persons", "public_security"]
CALLS = 90
PLAIN = {"says": "plainly", "since": "2020-01-01", "until": ""}
BAN: dict[str, Any] = {"classes": ["governance", "gallery"]}
LIFT: dict[str, Any] = {
    "lifts": ["amazon-2021/police-face-comparison"],
    "tenants": "any",
    "purposes": ["criminal_investigation"],
    "requires": [],
}


def restriction(source: random.Random) -> dict[str, Any]:
    """A restriction on something or other, now and then malformed."""
    entry: dict[str, Any] = {
        "says": "This may not be",
        "classes": source.sample(CLASSES, 4),
        "kinds": source.sample(KINDS, 3),
        "purposes": source.sample(PURPOSES, 3),
        "jurisdictions": source.choice([["US"], ["EU"], ["IT", "US-WA"]]),
        "since": source.choice(["2020-06-10", "2026-11-22T00:35:37Z", "2028-01-01"]),
        "until": source.choice(["", "2027-06-10", "2030-01-01"]),
        **source.choice(
            [
                {},
                {"realtime": True},
                {"public_space": True},
                {"attributes": ["FACE_ATTRIBUTE_ALL"]},
                {"acquisitions": ["ACQUISITION_UNTARGETED"]},
                {"urgent": True},
            ]
        ),
    }
    return _varied(entry, source)


def duty(source: random.Random) -> dict[str, Any]:
    """Something that is asked of somebody."""
    asks = source.choice(
        [{"review": 2}, {"min_similarity": 0.99}, {"delete_by": 24, "notify": ["x"]}]
    )
    return {**restriction(source), "asks": asks}


def exemption(source: random.Random) -> dict[str, Any]:
    """An exemption from the moratorium for somebody, now and then malformed."""
    entry: dict[str, Any] = {
        "says": "somebody",
        "lifts": ["amazon-2021/police-face-comparison"],
        "tenants": source.choice(["any", ["metro-police"], ["daily-herald", "find-the-lost"]]),
        "purposes": source.sample(POLICE_PURPOSES, 2),
        "requires": source.choice([[], [], ["case"]]),
        **source.choice(
            [{}, {}, {"kinds": source.sample(KINDS, 3)}, {"offices": {"ordinary": []}}]
        ),
        "since": source.choice(["2020-06-10", "2026-11-22", "2028-01-01"]),
        "until": source.choice(["", "2027-06-10", "2030-01-01"]),
    }
    return _varied(entry, source)


def _varied(entry: dict[str, Any], source: random.Random) -> dict[str, Any]:
    for name in list(entry):
        if source.random() < 0.08:
            del entry[name]
        elif source.random() < 0.05:
            entry[name] = source.choice(JUNK)
    return entry


def more(
    topic: str,
    entry: Callable[[random.Random], dict[str, Any]],
    plain: dict[str, Any],
    source: random.Random,
) -> Law:
    """The law with a few more entries under `topic`, and one among them that certainly binds."""
    data: Any = copy.deepcopy(law().data)
    data["law"][topic] |= {f"more-{number}": entry(source) for number in range(8)}
    data["law"][topic]["plain"] = {**PLAIN, **plain}
    return changed(law(), data=data)


async def allowed(engine: PolicyEngine, calls: list[dict[str, Any]]) -> dict[int, set[str]]:
    """Which of the calls may be made, under which obligations; one that cannot be decided may not."""
    found = {}
    for number, facts in enumerate(calls):
        with suppress(Unavailable):
            decision = await engine.decide(facts)
            if decision.allowed:
                found[number] = {
                    f"{one.kind} {one.value} {one.law}" for one in decision.obligations
                }
    return found


@pytest.mark.parametrize(
    "seed",
    [0, pytest.param(1, marks=pytest.mark.thorough), pytest.param(2, marks=pytest.mark.thorough)],
)
async def test_more_restrictions_never_allow_more(seed: int, tmp_path: Path) -> None:
    source = random.Random(seed)
    calls = [random_facts(source) for _ in range(CALLS)]
    async with opened("rego", law(), tmp_path) as engine:
        before = await allowed(engine, calls)
    restricted = more("moratoria", restriction, BAN, source)
    data: Any = restricted.data
    data["law"]["consent"] |= {"more": restriction(source)}
    data["law"]["duties"] |= {f"more-{number}": duty(source) for number in range(4)}
    data["law"]["duties"]["plain"] = {**PLAIN, "asks": {"review": 1}}
    async with opened("rego", changed(restricted, data=data), tmp_path) as engine:
        after = await allowed(engine, calls)
    assert after.keys() < before.keys()
    assert all(before[number] < after[number] for number in after), (
        "a duty is lost or does not bind"
    )


@pytest.mark.parametrize(
    "seed",
    [0, pytest.param(1, marks=pytest.mark.thorough), pytest.param(2, marks=pytest.mark.thorough)],
)
async def test_more_exemptions_never_deny_more(seed: int, tmp_path: Path) -> None:
    source = random.Random(seed)
    calls = [random_facts(source) for _ in range(CALLS)]
    police = {"kind": "police_department", "id": "metro-police", "jurisdiction": "US-WA"}
    about = {"tenant": police, "action": "face.search", "on_behalf_of": "", "evidence": {}}
    calls = [facts | about | {"purpose": source.choice(POLICE_PURPOSES)} for facts in calls]
    async with opened("rego", law(), tmp_path) as engine:
        before = await allowed(engine, calls)
    async with opened("rego", more("exemptions", exemption, LIFT, source), tmp_path) as engine:
        after = await allowed(engine, calls)
    assert after.keys() > before.keys()
