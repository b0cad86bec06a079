from pathlib import Path

import pytest

from beholden.core.errors import FailedPrecondition
from beholden.core.moderation import Blocklist, ModerationRules
from beholden.policy.tenants import load_tenants
from tests.contract.policy_engines import TENANTS, law

ONE = "tenants:\n  - {id: a, kind: newsroom, name: A, jurisdiction: IT}\n"


def test_the_projects_own_registry() -> None:
    assert list(TENANTS) == [
        "daily-herald",
        "metro-police",
        "find-the-lost",
        "acme-platform",
        "beholden-ops",
    ]
    kinds = {kind for tenant in TENANTS.values() for kind in [tenant.kind, *tenant.serves]}
    assert kinds <= set(law().data["law"]["kinds"])  # type: ignore[index, call-overload, arg-type]


def test_a_record_is_a_fact() -> None:
    assert TENANTS["find-the-lost"].facts() == {
        "id": "find-the-lost",
        "kind": "victim_search",
        "name": "Find the Lost",
        "jurisdiction": "US-CA",
        "serves": ["police_department"],
    }
    assert "serves" not in TENANTS["metro-police"].facts()


MODERATED = ONE.replace("name: A", "name: A, moderation: {%s}")


def test_what_is_set_for_moderation_is_no_fact(tmp_path: Path) -> None:
    path = tmp_path / "tenants.yaml"
    path.write_text(
        MODERATED % "min_confidence: {Violence: 0.3}, blocklists: [{name: games, words: [casino]}]"
    )
    tenant = load_tenants(path)["a"]
    assert "moderation" not in tenant.facts()
    assert tenant.moderation.rules() == ModerationRules(
        {"Violence": 0.3}, (Blocklist("games", ("casino",)),)
    )
    assert TENANTS["acme-platform"].moderation.rules() == ModerationRules()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "file"),
        ("tenants: {}", "tenants"),
        ("tenants: [", "registry"),
        ("!!python/object/apply:os.system [true]", "registry"),
        (ONE + "more: 1\n", "more: Extra"),
        (ONE + ONE.removeprefix("tenants:\n"), "a is registered twice"),
        (ONE.replace("kind: newsroom", "kind: newsroom, kind: platform"), "kind is said twice"),
        (ONE + "tenants: []\n", "tenants is said twice"),
        (ONE.replace("id: a", "id: A B"), "tenants.0.id"),
        (ONE.replace("id: a", "id: 1"), "tenants.0.id"),
        (ONE.replace("kind: newsroom, ", ""), "tenants.0.kind"),
        (ONE.replace("IT", "Italy"), "tenants.0.jurisdiction"),
        (ONE.replace("IT", "it"), "tenants.0.jurisdiction"),
        (ONE.replace("name: A", "name: ''"), "tenants.0.name"),
        (ONE.replace("name: A", "name: A, exempt: true"), "tenants.0.exempt"),
        (ONE.replace("name: A", "name: A, serves: police_department"), "tenants.0.serves"),
        (MODERATED % "words: [x]", r"tenants.0.moderation.words: Extra"),
        (MODERATED % "min_confidence: {Violence: 80}", r"min_confidence.Violence: .*less than"),
        (MODERATED % "blocklists: [{name: x, words: []}]", r"blocklists.0.words: .*at least 1"),
        (MODERATED % "blocklists: [{name: x, words: ['..']}]", r"words.0: .*a letter or a digit"),
        (
            MODERATED % "blocklists: [{name: x, words: [a]}, {name: X, words: [b]}]",
            "a name of its own",
        ),
    ],
)
def test_names_what_is_wrong(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "tenants.yaml"
    path.write_text(text)
    with pytest.raises(FailedPrecondition, match=problem):
        load_tenants(path)


def test_a_registry_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FailedPrecondition, match=r"tenants\.yaml"):
        load_tenants(tmp_path / "tenants.yaml")
