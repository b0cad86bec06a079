import copy
from typing import Any

import pytest

from beholden.core.errors import FailedPrecondition
from beholden.policy.wellformed import check_law, problems
from tests.contract.policy_engines import changed, law

BAN = ("regimes", "amazon-2021", "restrictions", "police-face-comparison")
LIFT = ("law", "exemptions", "find-the-lost")


def spoiled(*path: str, value: Any) -> list[str]:
    """What is said of the law with another value at `path` (`...` takes the key away)."""
    data: Any = copy.deepcopy(law().data)
    place = data
    for name in path[:-1]:
        place = place[name]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return list(problems(changed(law(), data=data)))


def test_the_projects_own_law_is_well_formed() -> None:
    assert list(problems(law())) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ((*BAN, "kinds"), ["polce_department"], "polce_department"),
        ((*BAN, "classes"), ["face_comparson"], "face_comparson"),
        ((*BAN, "classes"), [], "at least 1"),
        ((*BAN, "purposes"), "criminal_investigation", "list"),
        ((*BAN, "jurisdictions"), ["XX"], "XX"),
        ((*BAN, "since"), "10 June 2020", "must be like"),
        ((*BAN, "since"), "2020-02-30", "must be like"),
        ((*BAN, "since"), "2020-06-10T00:00:00+01:00", "must be like"),
        ((*BAN, "until"), ..., "required"),
        ((*BAN, "untill"), "", "not permitted"),
        ((*BAN, "until_event"), "doomsday", "doomsday"),
        ((*LIFT, "lifts"), ["amazon-2021/police"], "amazon-2021/police"),
        ((*LIFT, "tenants"), "all", "tenants"),
        ((*LIFT, "tenant"), ["x"], "not permitted"),
        ((*LIFT, "purposes"), [], "at least 1"),
        ((*LIFT, "requires"), ["court_order"], "requires"),
        (("law", "regimes", "adopted"), ["amazon-2012"], "amazon-2012"),
        (("law", "actions", "face.search", "classes"), ["searching"], "searching"),
        (("law", "thresholds", "min_similarity", "default"), "0.8", "default"),
        (("law", "thresholds", "min_similarity", "default"), 80, "less than or equal to 1"),
        (("law", "thresholds", "min_similarity", "purposes"), {"x": 0.5}, "'x' is not known"),
        (("law", "limits", "max_results", "default"), 0, "greater than or equal to 1"),
        (("law", "roles"), {"ledger.erase": ["auditor"]}, "ledger.erase"),
        (("law", "required_rules"), [], "at least 1"),
        (("law", "required_rules"), ["limits"], "the rule 'moratorium' is there and would not"),
        (("law", "required_rules"), ["limits", "nowhere"], "nowhere"),
        (("law", "kinds"), ..., "required"),
        (("law",), None, "law"),
        (("laws",), {}, "not permitted"),
    ],
)  # fmt: skip
def test_names_the_slip(path: tuple[str, ...], value: Any, said: str) -> None:
    found = spoiled(*path, value=value)
    assert any(said in problem for problem in found), found


def test_places_within_countries_are_known() -> None:
    assert spoiled(*BAN, "jurisdictions", value=["US-WA", "EU", "IT"]) == []


def test_an_operators_own_topics_are_welcome() -> None:
    assert spoiled("law", "opening_hours", value={"from": 9}) == []


def test_malformed_law_is_refused_in_words() -> None:
    data = {**law().data, "regimes": {}}
    with pytest.raises(FailedPrecondition, match="amazon-2021"):
        check_law(changed(law(), data=data))
