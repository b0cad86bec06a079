"""What changed between two laws is told by its entry."""

import copy
from typing import Any

from beholden.policy.changes import changes
from tests.contract.policy_engines import changed, law

BASE = law()


def told(**edits: Any) -> dict[str, tuple[str, str]]:
    data: Any = copy.deepcopy(BASE.data)
    for path, value in edits.items():
        *above, last = path.split("__")
        place = data
        for name in above:
            place = place[name.replace("_", "-") if name.replace("_", "-") in place else name]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return {one.place: (one.kind, one.words) for one in changes(BASE, changed(BASE, data=data))}


def test_the_same_law() -> None:
    assert told() == {}


def test_a_date_that_moved() -> None:
    assert told(law__exemptions__find_the_lost__until="2026-12-01") == {
        "law/exemptions/find-the-lost": ("changed", "until was 2027-06-10, is 2026-12-01")
    }


def test_a_regime_that_was_adopted() -> None:
    assert told(law__regimes__adopted=["amazon-2021", "ibm-2020"]) == {
        "law/regimes/adopted": ("changed", "with ibm-2020")
    }


def test_a_restriction_that_came_and_one_that_went() -> None:
    ban = {"says": "Nobody may", "since": "2026-01-01", "until": ""}
    assert told(law__moratoria={"all": ban}) == {
        "law/moratoria/all": (
            "added",
            "restriction: Nobody may, since 2026-01-01, until further notice",
        )
    }
    gone = told(regimes__amazon_2021__restrictions={})
    assert gone["regimes/amazon-2021/restrictions/police-face-comparison"][0] == "removed"


def test_a_rule_that_changed() -> None:
    path = "usage/rules/role/role.rego"
    modules = {**BASE.modules, path: BASE.modules[path] + "\n# other\n"}
    (change,) = changes(BASE, changed(BASE, modules=modules))
    assert (change.place, change.kind, change.words) == (path, "changed", "the rule role")
