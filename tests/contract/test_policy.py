"""What every policy engine must do, asked of each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from beholden.core.errors import InvalidArgument, Unavailable
from beholden.core.law import Decision
from beholden.core.ports import PolicyEngine
from tests.contract.policy_engines import ENGINES, NOW, NS, call, changed, law, opened


@pytest.fixture(params=ENGINES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def engine(kind: str, tmp_path: Path) -> AsyncIterator[PolicyEngine]:
    async with opened(kind, law(), tmp_path) as engine:
        yield engine


async def codes(engine: PolicyEngine, facts: dict[str, Any]) -> set[str]:
    decision = await engine.decide(facts)
    assert decision.allowed == (not decision.reasons)
    return {reason.code for reason in decision.reasons}


def values(decision: Decision) -> dict[str, Any]:
    return {obligation.kind: obligation.value for obligation in decision.obligations}


async def test_the_story(engine: PolicyEngine) -> None:
    newsroom = await engine.decide(call(purpose="editorial_research"))
    assert newsroom.allowed
    assert values(newsroom) == {"min_similarity": 0.8, "max_results": 1000}

    police = await engine.decide(call("metro-police", purpose="criminal_investigation"))
    (reason,) = police.reasons
    assert (reason.code, reason.law) == ("MORATORIUM", "amazon-2021/police-face-comparison")
    assert (reason.since, reason.until) == ("2020-06-10", "")
    assert "until further notice" in police.explanation()
    assert "Find the Lost" in reason.lifted_by

    searchers = await engine.decide(call("find-the-lost", purpose="victim_identification"))
    assert searchers.allowed
    assert searchers.exemptions == ("exemptions/find-the-lost",)
    assert values(searchers) == {"min_similarity": 0.85, "max_results": 100}
    assert searchers.advice


async def test_a_decision_names_the_law_it_follows(engine: PolicyEngine) -> None:
    decision = await engine.decide(call())
    status = await engine.status()
    assert decision.revision == status.revision == law().revision
    assert status.healthy
    assert status.loaded_ns > 0
    assert decision.answered == tuple(law().data["law"]["required_rules"])  # type: ignore[index, call-overload, arg-type]


async def test_the_same_facts_have_the_same_answer(engine: PolicyEngine) -> None:
    facts = call("metro-police", purpose="criminal_investigation")
    first = await engine.evaluate(facts)
    assert all([await engine.evaluate(facts) == first for _ in range(5)])


async def test_many_at_once_do_not_mix(engine: PolicyEngine) -> None:
    calls = [
        call("metro-police", purpose="criminal_investigation"),
        call("daily-herald", purpose="editorial_research"),
        call("find-the-lost", purpose="victim_identification"),
        call("daily-herald", action="ledger.verify"),
    ]
    wanted = [await engine.evaluate(facts) for facts in calls]
    assert len({str(one.document) for one in wanted}) == len(calls)
    found = await asyncio.gather(*(engine.evaluate(facts) for facts in calls * 25))
    assert list(found) == wanted * 25


async def test_numbers_keep_their_precision(kind: str, tmp_path: Path) -> None:
    """A float rounded to six decimals would pass for 0.99."""
    module = """package usage

decision := {"passes": input.request.min_similarity >= 0.99, "same": input.time.ns == 1795307737000000001}
"""
    async with opened(kind, changed(law(), modules={"usage/a.rego": module}), tmp_path) as engine:
        for value, passes in [(0.9899999, False), (0.98999999999, False), (0.99, True), (1, True)]:
            facts = {"request": {"min_similarity": value}, "time": {"ns": NS + 1}}
            assert (await engine.evaluate(facts)).document == {"passes": passes, "same": True}


ODD_TEXT = [
    'x", "action": "policy.explain',
    'missing_persons"}, "tenant": {"kind": "newsroom',
    "back\\slash\\",
    "new\nline\r\ttab",
    "missing_persons\x01",
    "missing_persons\x7f",
    "missing_persons ",
    "Missing_Persons",
    "mіssing_persons",  # a Cyrillic letter
    "missing\u200b_persons",
    "missing\u2028_persons",
    "\ufeffmissing_persons",
    "missing_persons\U0001f600",
    "{}",
    "missing_persons/../criminal_investigation",
    "*",
    "null",
    "x" * 4096,
]


async def test_odd_text_opens_nothing(engine: PolicyEngine) -> None:
    for text in ODD_TEXT:
        facts = call("metro-police", purpose=text, case="4711")
        assert await codes(engine, facts) == {"PURPOSE_UNKNOWN", "MORATORIUM"}, ascii(text)
        for fact, code in [
            ("action", "ACTION_UNKNOWN"),
            ("on_behalf_of", "CLIENT_UNKNOWN"),
            ("jurisdiction", "JURISDICTION_UNKNOWN"),
        ]:
            assert await codes(engine, {**call(), fact: text}) == {code}, (fact, ascii(text))
        verify = call(action="ledger.verify", principal={"id": "ann", "roles": [text]})
        assert await codes(engine, verify) == {"ROLE_REQUIRED"}, ascii(text)


OUT_OF_BOUNDS = [
    ({"purpose": "missing_persons\0criminal"}, "facts.purpose"),
    ({"pur\0pose": "x"}, "facts (a key)"),
    ({"purpose": "x" * 4097}, "facts.purpose"),
    ({"purpose": "\ud800"}, "facts.purpose"),
    ({"request": {"min_similarity": float("nan")}}, "facts.request.min_similarity"),
    ({"request": {"min_similarity": float("inf")}}, "facts.request.min_similarity"),
    ({"request": {"max_results": 2**63}}, "facts.request.max_results"),
    ({"request": {"ids": ["x"] * 10_000}}, "facts.request.ids"),
    ({"request": {"image": b"bytes"}}, "facts.request.image"),
]


async def test_facts_out_of_bounds_are_refused(engine: PolicyEngine) -> None:
    for changes, field in OUT_OF_BOUNDS:
        with pytest.raises(InvalidArgument) as caught:
            await engine.evaluate({**call(), **changes})
        assert caught.value.field == field


async def test_deeply_nested_facts_are_refused(engine: PolicyEngine) -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(InvalidArgument, match="nested deeper than 8"):
        await engine.evaluate(call(request={"nested": nested}))


MALFORMED: list[dict[str, Any]] = [
    {"purpose": None},
    {"tenant": None},
    {"tenant": {"id": "metro-police", "jurisdiction": "US"}},
    {"tenant": {"id": "x", "kind": ["newsroom"], "jurisdiction": "US"}},
    {"principal": {"id": "", "roles": []}},
    {"principal": {"id": "a", "roles": "auditor"}},
    {"time": {"now": NOW, "ns": str(NS)}},
    {"time": {"now": "2019", "ns": NS}},
    {"request": []},
    {"client": None},
]


async def test_malformed_facts_are_denied(engine: PolicyEngine) -> None:
    for facts in [{}, *({**call(), **changes} for changes in MALFORMED)]:
        assert await codes(engine, facts) == {"FACTS_MALFORMED"}, facts


async def test_a_number_written_as_text_is_no_number(kind: str, tmp_path: Path) -> None:
    """Strings sort above numbers: a rule that compared "0.5" with 0.99 would find it the larger."""
    data = dict(law().data)
    data["law"] = {
        **data["law"],
        "thresholds": {"classes": ["face_search"], "min_similarity": {"default": "0.5"}},
    }  # type: ignore[dict-item]
    async with opened(kind, changed(law(), data=data), tmp_path) as engine:
        decision = await engine.decide(call())
    assert {reason.law for reason in decision.reasons} == {"required_rules/threshold"}


async def test_a_rule_that_is_gone_denies(kind: str, tmp_path: Path) -> None:
    modules = {
        path: text for path, text in law().modules.items() if "rules/moratorium/" not in path
    }
    async with opened(kind, changed(law(), modules=modules), tmp_path) as engine:
        decision = await engine.decide(call(purpose="editorial_research"))
    assert not decision.allowed
    assert {reason.law for reason in decision.reasons} == {"required_rules/moratorium"}


async def test_an_undefined_answer_denies(kind: str, tmp_path: Path) -> None:
    modules = {
        "usage/a.rego": 'package usage\n\ndecision := {"allow": true} if input.action == "x"\n'
    }
    async with opened(kind, changed(law(), modules=modules), tmp_path) as engine:
        assert (await engine.evaluate(call())).document is None
        assert await codes(engine, call()) == {"POLICY_UNDEFINED"}


async def test_an_incomplete_answer_denies(kind: str, tmp_path: Path) -> None:
    modules = {
        "usage/a.rego": 'package usage\n\ndecision := {"allow": true} if input.action == "x"\n'
    }
    async with opened(kind, changed(law(), modules=modules), tmp_path) as engine:
        assert await codes(engine, call(action="x")) == {"POLICY_ANSWER_MALFORMED"}


@pytest.mark.parametrize(
    "body",
    ["input.purpose + 1 == 2", 'concat("", input.request) == "x"', "to_number(input.purpose) == 1"],
)
async def test_a_failing_builtin_is_no_answer(kind: str, tmp_path: Path, body: str) -> None:
    module = f"package usage\n\ndecision := {{}} if not broken\n\nbroken if {body}\n"
    async with opened(kind, changed(law(), modules={"usage/a.rego": module}), tmp_path) as engine:
        with pytest.raises(Unavailable) as caught:
            await engine.evaluate(call(purpose="secret"))
    assert "secret" not in caught.value.message


async def test_a_closed_engine_is_unavailable(kind: str, tmp_path: Path) -> None:
    async with opened(kind, law(), tmp_path) as engine:
        await engine.close()
        with pytest.raises(Unavailable):
            await engine.decide(call())
