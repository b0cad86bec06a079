"""What counts as a change, what a law cannot tell apart, and that counts stay within bounds."""

import copy
from typing import Any

import pytest

from beholden.core.law import Decision, Obligation, Reason
from beholden.policy import comparison
from beholden.policy.alike import Alike
from beholden.policy.comparison import Findings, Group, compare
from tests.contract.policy_engines import call, changed, law


def before(allowed: bool, *laws: str, **duties: Any) -> dict[str, Any]:
    return {
        "allowed": allowed,
        "reasons": [{"law": name, "code": "X"} for name in laws],
        "obligations": [{"kind": k, "value": v, "law": "limits"} for k, v in duties.items()],
    }


def after(allowed: bool, *laws: str, **duties: Any) -> Decision:
    return Decision(
        allowed,
        "r",
        tuple(Reason("X", name) for name in laws),
        tuple(Obligation(k, v, "limits") for k, v in duties.items()),
    )


@pytest.mark.parametrize(
    ("was", "becomes", "change"),
    [
        (before(True), after(True), None),
        (before(True, max_results=20.0), after(True, max_results=20), None),
        (before(True, redact=["b", "a"]), after(True, redact=["a", "b"]), None),
        (before(False, "a"), after(False, "a"), None),
        (before(True), after(False, "b", "a"), ("newly refused", ("a", "b"))),
        (before(False, "a"), after(True), ("newly allowed", ("a",))),
        (before(False, "a"), after(False, "b"), ("refused by other law", ("a", "b"))),
        (
            before(True, min_similarity=0.99),
            after(True, min_similarity=0.9899999),
            ("other obligations", ("limits",)),
        ),
        (before(True), after(True, max_results=1), ("other obligations", ("limits",))),
    ],
)
def test_changes(was: dict[str, Any], becomes: Decision, change: object) -> None:
    assert compare(was, becomes) == change


def at(now: str, **facts: Any) -> dict[str, Any]:
    return call("find-the-lost", **facts) | {"time": {"now": now, "ns": 1}}


def test_only_the_laws_dates_tell_times_apart() -> None:
    alike = Alike(law())
    key = alike.key(at("2027-01-01T00:00:00Z"))
    assert alike.key(at("2027-01-02T10:00:00Z")) == key
    assert alike.key(at("2027-06-09T23:59:59Z")) == key
    # The exemption of Find the Lost ends then.
    assert alike.key(at("2027-06-10T00:00:00Z")) != key
    assert alike.key(at("2027-01-01T00:00:00Z", case="2")) != key
    assert alike.key(at("2027-01-01")) != key
    own = {"evidence": {"consent": {"expires": "2027-01-02T00:00:00Z"}}}
    assert alike.key(at("2027-01-01T00:00:00Z", **own)) != alike.key(
        at("2027-01-02T00:00:00Z", **own)
    )


def test_callers_are_alike_and_their_roles_are_not() -> None:
    alike = Alike(law())
    one, other = call(), call(principal={"id": "bob", "roles": []})
    assert alike.key(one) == alike.key(other)
    assert alike.key(one) != alike.key(call(principal={"id": "ann", "roles": ["auditor"]}))


def test_only_what_the_rules_ask_of_a_request_tells_calls_apart() -> None:
    alike = Alike(law())
    key = alike.key(call(request={"max_results": 10}))
    assert alike.key(call(request={"max_results": 20})) == key
    assert alike.key(call(request={"max_results": 10, "collection": "collections/c"})) != key
    assert alike.key(call(request={"provenance": {"source": "x"}})) != key
    for rule in ("few if input.request.max_results < 9", "all := input.request"):
        more = f"package usage.rules.own\n\n{rule}\n"
        modules = {**law().modules, "usage/rules/own/own.rego": more}
        curious = Alike(changed(law(), modules=modules))
        one, other = call(request={"max_results": 1}), call(request={"max_results": 9})
        assert curious.key(one) != curious.key(other)


@pytest.mark.parametrize(
    "rule",
    [
        'late if split(input.time.now, "T")[1] > "18"',
        'late if input["time"].ns > 1',
        "late if time.now_ns() > 1",
        'ann if input.principal.id == "ann"',
        "all := input",
    ],
)
def test_a_rule_that_could_see_more_sees_all(rule: str) -> None:
    modules = {**law().modules, "usage/rules/own/own.rego": f"package usage.rules.own\n\n{rule}\n"}
    alike = Alike(changed(law(), modules=modules))
    one, other = at("2027-01-01T00:00:00Z"), at("2027-01-01T00:00:01Z")
    assert alike.key(one) != alike.key(other)


def test_groups_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "_MOST_GROUPS", 2)
    found = Findings()
    for number in range(10):
        found.note(Group("newly refused", f"t{number}", "a", ()), [str(number)])
    assert found.changed.total() == 10
    assert len(found.changed) == 3
    whole = Findings()
    whole.add(copy.deepcopy(found))
    whole.add(found)
    assert whole.changed.total() == 20
    assert all(len(ids) <= 3 for ids in whole.examples.values())


@pytest.mark.parametrize(
    "code",
    [
        'asked := object.get(input, "time", {})',
        'asked := input["time"].ns',
        "asked := input[name].ns",
        "asked := [value | some value in input]",
        "asked := walked(input)",
        "asked := json.marshal(input[name])",
        "asked := time.now_ns()",
    ],
)
def test_a_law_that_could_read_the_clock_is_asked_each_time(code: str) -> None:
    modules = {**law().modules, "usage/more.rego": f"package usage.more\n\n{code}\n"}
    alike = Alike(changed(law(), modules=modules))
    assert alike.key(at("2027-01-01T00:00:00Z")) != alike.key(at("2027-01-01T00:00:01Z"))


def test_a_date_in_a_rule_counts_as_one_in_the_law() -> None:
    code = 'package usage.more\n\nlate if dates.begun("2027-01-05")\n'
    alike = Alike(changed(law(), modules={**law().modules, "usage/more.rego": code}))
    assert alike.key(at("2027-01-04T00:00:00Z")) == alike.key(at("2027-01-03T00:00:00Z"))
    assert alike.key(at("2027-01-04T00:00:00Z")) != alike.key(at("2027-01-06T00:00:00Z"))
