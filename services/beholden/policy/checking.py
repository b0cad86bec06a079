"""Runs a folder's cases on the engine in process and, where it is there, on OPA."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from beholden.core.law import Decision, Facts
from beholden.policy.cases import Case, load_cases
from beholden.policy.decision import parse
from beholden.policy.law import Law
from beholden.policy.opa_tool import OpaTool
from beholden.policy.rego import RegoEngine
from beholden.policy.settings import PolicySettings
from beholden.policy.tenants import Tenant


@dataclass(frozen=True, slots=True)
class Checked:
    """One file of cases on one engine: how many calls were decided, and what was decided otherwise."""

    file: Path
    engine: str
    calls: int
    wrong: tuple[str, ...]


async def check_cases(
    files: Sequence[Path], law: Law, tenants: Mapping[str, Tenant], opa: OpaTool | None
) -> AsyncIterator[Checked]:
    """Each file under its own law, on each engine. Raises FailedPrecondition."""
    for file in files:
        cases = load_cases(file)
        under = cases.under(law)
        calls = list(cases.calls(tenants))
        asked = [facts for _, facts in calls]
        yield _compared(file, "rego", calls, await decide_all(under, asked))
        if opa is not None:
            answers = [parse(one) for one in opa.evaluate(under, asked)]
            yield _compared(file, "opa", calls, answers)


async def decide_all(law: Law, asked: Sequence[Facts]) -> list[Decision]:
    """What the law in process says to each. Raises FailedPrecondition, InvalidArgument, Unavailable."""
    async with in_process(law) as engine:
        return [await engine.decide(facts) for facts in asked]


@asynccontextmanager
async def in_process(law: Law) -> AsyncIterator[RegoEngine]:
    """An engine with this law, for one call at a time."""
    engine = RegoEngine(lambda: law, PolicySettings(threads=1, timeout=30))
    try:
        await engine.reload()
        yield engine
    finally:
        await engine.close()


def _compared(
    file: Path, engine: str, calls: Sequence[tuple[Case, Facts]], decisions: Sequence[Decision]
) -> Checked:
    wrong = tuple(
        f"{case.name}: {difference}"
        for (case, _), decision in zip(calls, decisions, strict=True)
        for difference in case.want.differences(decision)
    )
    return Checked(file, engine, len(calls), wrong)
