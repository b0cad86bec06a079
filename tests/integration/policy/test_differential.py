"""Rego in process and OPA give the same document, whatever the facts and however the law is spoiled."""

from __future__ import annotations

import asyncio
import copy
import random
from pathlib import Path
from typing import Any

import pytest

from beholden.core.errors import Unavailable
from beholden.core.law import Facts, Json
from beholden.core.ports import PolicyEngine
from beholden.policy.law import Law
from tests.contract.policy_engines import changed, law, opened
from tests.contract.policy_facts import COURT, JUNK, random_facts

NOTHING = "no answer"


async def answer(engine: PolicyEngine, facts: Facts) -> Json:
    """The document, or that there was none."""
    try:
        return (await engine.evaluate(facts)).document
    except Unavailable:
        return NOTHING


async def compare(under: Law, calls: list[dict[str, Any]], folder: Path) -> list[Json]:
    """Asks both engines everything; the answers, which were the same."""
    answers = []
    async with opened("rego", under, folder) as rego, opened("opa-unix", under, folder) as opa:
        for facts in calls:
            found = await answer(rego, facts)
            assert found == await answer(opa, facts), facts
            answers.append(found)
    return answers


@pytest.mark.parametrize("calls", [200, pytest.param(2000, marks=pytest.mark.thorough)])
async def test_random_facts(calls: int, tmp_path: Path) -> None:
    source = random.Random(20210518)
    asked = [random_facts(source) for _ in range(calls)]
    answers: list[Any] = await compare(law(), asked, tmp_path)
    assert NOTHING not in answers
    allowed = sum(one["allow"] for one in answers)
    assert calls / 10 < allowed < calls * 9 / 10
    codes = {reason["code"] for one in answers for reason in one["reasons"]}
    assert len(codes) >= 10


async def test_a_decision_depends_on_law_and_facts_alone(tmp_path: Path) -> None:
    """Whatever was asked before, at the same time and by which thread, and facts are left as they were."""
    source = random.Random(7)
    calls = [random_facts(source) for _ in range(60)]
    said = copy.deepcopy(calls)
    async with opened("rego", law(), tmp_path) as engine:
        first = [await engine.evaluate(facts) for facts in calls]
        order = source.sample(range(len(calls)), len(calls))
        again = await asyncio.gather(*(engine.evaluate(calls[number]) for number in order))
    assert [first[number] for number in order] == list(again)
    assert calls == said


@pytest.mark.parametrize("seed", range(5))
async def test_spoiled_law(seed: int, tmp_path: Path) -> None:
    """Adopts every regime, names a court, then takes entries of the law away or puts junk there."""
    source = random.Random(seed)
    data: Any = copy.deepcopy(law().data)
    data["law"]["regimes"]["adopted"] = sorted(data["regimes"])
    data["law"]["issuers"] = {COURT: {"issues": ["authorisation"], "office": "court"}}
    data["law"]["revocations"] = {COURT: ["order-2"]}
    data["law"]["exemptions"]["by-order"] = {
        "says": "an order of the court",
        "lifts": ["amazon-2021/police-face-comparison", "strict/public-power"],
        "tenants": "any",
        "purposes": ["criminal_investigation", "missing_persons"],
        "requires": ["authorisation"],
        "offences": source.choice([["murder"], ["theft"]]),
        "since": "2020-06-10",
        "until": "",
    }
    for _ in range(source.choice([1, 2, 4])):
        _spoil(data, source)
    spoiled = changed(law(), data=data)
    await compare(spoiled, [random_facts(source) for _ in range(40)], tmp_path)


def _spoil(data: Any, source: random.Random) -> None:
    place = data[source.choice(["law", "law", "regimes"])]
    name = source.choice(sorted(place))
    while isinstance(place[name], dict | list) and place[name] and source.random() < 0.8:
        place = place[name]
        name = source.choice(sorted(place) if isinstance(place, dict) else range(len(place)))
    if source.random() < 0.4:
        del place[name]
    else:
        place[name] = source.choice(JUNK)
