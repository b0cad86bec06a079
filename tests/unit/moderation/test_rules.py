import pytest

from beholden.core.errors import FailedPrecondition
from beholden.core.moderation import Blocklist, ModerationKind, ModerationRules, ModerationTaxonomy
from beholden.moderation.rules import check_rules

TAXONOMY = ModerationTaxonomy(
    [ModerationKind("Violence"), ModerationKind("Weapons", ("Violence",))]
)
GAMES = (Blocklist("games", ("casino",)),)


def test_labels_lists_and_what_stands_above_them_may_have_thresholds() -> None:
    known = {"Weapons": 0.3, "games": 0.6, "Blocklisted Text": 0.5, "Custom": 0.9}
    check_rules({"a": ModerationRules(known, GAMES)}, TAXONOMY)


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        (ModerationRules({"Weapon": 0.3}), "a: moderation.min_confidence: 'Weapon'.*mean Weapons"),
        (ModerationRules({"games": 0.3}), "'games' is no label"),
        (ModerationRules({}, (Blocklist("Violence", ("x",)),)), "'Violence' is a label already"),
    ],
)
def test_what_would_never_hold_is_refused(rules: ModerationRules, problem: str) -> None:
    with pytest.raises(FailedPrecondition, match=problem):
        check_rules({"a": rules}, TAXONOMY)
