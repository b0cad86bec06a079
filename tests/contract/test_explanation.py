"""What stands behind a decision, asked of every policy engine."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from beholden.core.errors import InvalidArgument, Unavailable
from beholden.core.law import Explanation, Remedy
from beholden.core.ports import PolicyEngine
from tests.contract.policy_engines import ENGINES, call, changed, law, opened
from tests.contract.policy_facts import random_facts

BAN = "amazon-2021/police-face-comparison"


@pytest.fixture(params=ENGINES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def engine(kind: str, tmp_path: Path) -> AsyncIterator[PolicyEngine]:
    async with opened(kind, law(), tmp_path) as engine:
        yield engine


def of(explanation: Explanation) -> dict[str, Remedy]:
    return {one.law: one for one in explanation.exemptions}


async def test_what_is_refused_is_told_what_is_wanting(engine: PolicyEngine) -> None:
    told = await engine.explain(call("metro-police", purpose="criminal_investigation"))
    assert told.revision == law().revision
    (restriction,) = told.restrictions
    assert (restriction.law, restriction.lifted_by) == (BAN, ())
    remedies = of(told)
    assert remedies["amazon-2021/missing-persons"].lifts == (BAN,)
    assert set(remedies["amazon-2021/missing-persons"].lacking) == {
        "declare one of these purposes: missing_persons",
        "declare or show: case",
    }
    assert "it is another organisation's" in remedies["exemptions/find-the-lost"].lacking
    mended = call("metro-police", purpose="missing_persons", case="4711")
    assert (await engine.decide(mended)).allowed


async def test_what_is_lifted_says_by_what(engine: PolicyEngine) -> None:
    told = await engine.explain(call("find-the-lost", purpose="victim_identification"))
    (restriction,) = told.restrictions
    assert restriction.lifted_by == ("exemptions/find-the-lost",)
    assert of(told)["exemptions/find-the-lost"].lacking == ()
    assert of(told)["amazon-2021/missing-persons"].lacking


async def test_an_exemption_that_ran_out_says_when(engine: PolicyEngine) -> None:
    facts = call("find-the-lost", purpose="victim_identification")
    facts["time"] = {"now": "2028-01-01T00:00:00Z", "ns": 1}
    told = await engine.explain(facts)
    assert of(told)["exemptions/find-the-lost"].lacking == ("it ended on 2027-06-10",)


async def test_nothing_stands_behind_what_nothing_restricts(engine: PolicyEngine) -> None:
    empty = Explanation(law().revision)
    assert await engine.explain(call(purpose="editorial_research")) == empty
    assert await engine.explain({}) == empty


async def test_a_law_without_explanations(kind: str, tmp_path: Path) -> None:
    modules = {
        path: text for path, text in law().modules.items() if path != "usage/explanation.rego"
    }
    bare = changed(law(), modules=modules)
    async with opened(kind, bare, tmp_path) as engine:
        assert (await engine.decide(call())).allowed
        assert await engine.explain(call()) == Explanation(bare.revision)


async def test_an_answer_of_another_shape_is_none(kind: str, tmp_path: Path) -> None:
    modules = {**law().modules, "usage/explanation.rego": "package usage\n\nexplanation := 7\n"}
    async with opened(kind, changed(law(), modules=modules), tmp_path) as engine:
        with pytest.raises(Unavailable, match="explanation"):
            await engine.explain(call())


async def test_the_same_bounds(engine: PolicyEngine) -> None:
    with pytest.raises(InvalidArgument):
        await engine.explain(call(purpose="x" * 4097))


async def test_both_engines_explain_alike_and_as_they_decide(tmp_path: Path) -> None:
    source = random.Random(4)
    asked = [random_facts(source) for _ in range(200)]
    async with opened("rego", law(), tmp_path) as rego, opened("opa-unix", law(), tmp_path) as opa:
        for facts in asked:
            told = await rego.explain(facts)
            assert told == await opa.explain(facts), facts
            decision = await rego.decide(facts)
            open_ones = {one.law for one in told.restrictions if not one.lifted_by}
            assert open_ones == {one.law for one in decision.reasons if one.code == "MORATORIUM"}, (
                facts
            )
            holding = {one.law for one in told.exemptions if not one.lacking}
            lifting = {name for one in told.restrictions for name in one.lifted_by}
            assert holding == lifting, facts
