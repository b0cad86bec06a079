"""The policies' own cases, on every engine."""

from pathlib import Path

import pytest

from beholden.policy.cases import load_cases
from tests.contract.policy_engines import POLICIES, TENANTS, law, opened

FILES = sorted((POLICIES / "cases").glob("*.yaml"))


def test_there_are_cases() -> None:
    assert {path.stem for path in FILES} >= {path.name for path in (POLICIES / "regimes").iterdir()}


@pytest.mark.parametrize("kind", ["rego", "opa-unix"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_cases(path: Path, kind: str, tmp_path: Path) -> None:
    cases = load_cases(path)
    wrong = []
    async with opened(kind, cases.under(law()), tmp_path) as engine:
        for case, facts in cases.calls(TENANTS):
            decision = await engine.decide(facts)
            wrong += [f"{case.name}: {facts}: {one}" for one in case.want.differences(decision)]
    assert not wrong, "\n".join(wrong)
