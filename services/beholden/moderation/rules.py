"""Holds what tenants have set against the labels that there are."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from beholden.core.errors import FailedPrecondition
from beholden.core.moderation import BLOCKLISTED, CUSTOM, ModerationRules, ModerationTaxonomy


def check_rules(rules: Mapping[str, ModerationRules], taxonomy: ModerationTaxonomy) -> None:
    """Refuses what would never hold, for nobody must believe in it.

    Raises FailedPrecondition for a threshold of no label, and for a list that is called as one is.
    """
    labels = {kind.name for kind in taxonomy.kinds} | {BLOCKLISTED, CUSTOM}
    for tenant, own in rules.items():
        lists = {one.name for one in own.blocklists}
        if odd := sorted(lists & labels):
            raise _wrong(tenant, f"blocklists: {odd[0]!r} is a label already")
        for name in own.min_confidence:
            if name not in labels | lists:
                near = difflib.get_close_matches(name, labels | lists, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise _wrong(tenant, f"min_confidence: {name!r} is no label{hint}")


def _wrong(tenant: str, problem: str) -> FailedPrecondition:
    return FailedPrecondition(
        f"the tenant registry: {tenant}: moderation.{problem}",
        remedy="`beholden moderate --list` has the labels",
    )
