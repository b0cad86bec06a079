"""Every RPC, every kind of organisation, every regime: both engines agree, and with a plain reading.

OPA is asked about every cell. Rego in process takes ten times as long, and is asked about one cell of
those that the law has the same words for: the same regime, kind, classes and roles.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from beholden.core.law import Evaluation
from beholden.policy.checking import in_process
from beholden.policy.decision import parse
from beholden.policy.law import Law
from beholden.policy.opa_tool import OpaTool
from tests.contract.policy_engines import changed, law, require_opa
from tests.integration.guard.house import METHODS, action

LAW: Any = law().data["law"]
REGIMES: Any = law().data["regimes"]
NOW = "2025-06-01T12:00:00Z"
"""When every restriction of every regime is in force."""

# The engines build a law once for all regimes: which is adopted is said with each call.
ADOPTION = "package law.regimes\n\nadopted := input.adopted\n"
NONE = "none"
ROLES = sorted({role for roles in LAW["roles"].values() for role in roles})
EXPECTED = {
    "MORATORIUM", "KIND_NOT_ENTITLED", "PURPOSE_REQUIRED", "CONSENT_REQUIRED"
}  # fmt: skip
"""All that these calls, which declare what can be declared, may be refused for."""


def every_regime() -> Law:
    data = copy.deepcopy(dict(law().data))
    del data["law"]["regimes"]  # type: ignore[attr-defined, union-attr]
    return changed(law(), data=data, modules={**law().modules, "law/adoption.rego": ADOPTION})


def calls() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The regime, the kind and the facts: a live call in public, in a place that every regime knows."""
    for regime in (NONE, *sorted(REGIMES)):
        for kind in sorted(LAW["kinds"]):
            purposes = LAW["purposes"]["known"].items()
            purpose = next((name for name, one in purposes if kind in one["kinds"]), "")
            for method in METHODS:
                yield regime, kind, facts(regime, kind, action(method), purpose)


def facts(regime: str, kind: str, action: str, purpose: str) -> dict[str, Any]:
    return {
        "adopted": [] if regime == NONE else [regime],
        "principal": {"id": "ann", "roles": ROLES},
        "tenant": {"id": "someone", "kind": kind, "name": "Someone", "jurisdiction": "US-WA"},
        "action": action,
        "purpose": purpose,
        "jurisdiction": "IT",
        "on_behalf_of": "",
        "case": "",
        "realtime": "yes",
        "public_space": "yes",
        "evidence": {},
        "request": {"provenance": {"source": "x", "legal_basis": "y"}},
        "time": {"now": NOW, "ns": 1748779200000000000},
    }


def forbidden(regime: str, kind: str, given: Mapping[str, Any]) -> set[str]:
    """The restrictions that bind, read with Python and without the rules' help."""
    if regime == NONE:
        return set()
    lifted = {
        name
        for one in REGIMES[regime]["exemptions"].values()
        if given["purpose"] in one["purposes"]
        and kind in one.get("kinds", [kind])
        and not one["requires"]
        for name in one["lifts"]
    }
    return {
        f"{regime}/{key}"
        for key, one in REGIMES[regime]["restrictions"].items()
        if set(LAW["actions"][given["action"]]["classes"]) & set(one["classes"])
        and kind in one.get("kinds", [kind])
        and ("purposes" not in one or given["purpose"] in {"", *one["purposes"]})
        and "attributes" not in one
        and f"{regime}/{key}" not in lifted
    }


def words(given: Mapping[str, Any]) -> str:
    """All that the law can tell a cell by."""
    named = given["action"]
    law_of = [LAW["actions"][named]["classes"], named if named in LAW["roles"] else ""]
    return json.dumps([given["adopted"], given["tenant"]["kind"], law_of])


@pytest.mark.thorough
async def test_every_rpc_every_kind_every_regime() -> None:
    asked = list(calls())
    assert len(asked) == len(METHODS) * len(LAW["kinds"]) * (len(REGIMES) + 1)
    everyone = OpaTool(require_opa()).evaluate(every_regime(), [given for *_, given in asked])
    rego: dict[str, Evaluation] = {}
    async with in_process(every_regime()) as engine:
        for *_, given in asked:
            if words(given) not in rego:
                rego[words(given)] = await engine.evaluate(given)
    bound = 0
    for (regime, kind, given), opa in zip(asked, everyone, strict=True):
        cell = f"{given['action']} by {kind} under {regime}"
        assert opa.document == rego[words(given)].document, cell
        reasons = parse(opa).reasons
        found = {one.law for one in reasons if one.code == "MORATORIUM"}
        assert found == forbidden(regime, kind, given), cell
        assert parse(opa).allowed is (not reasons), cell
        assert {one.code for one in reasons} <= EXPECTED, cell
        bound += bool(found)
    assert bound > 100
