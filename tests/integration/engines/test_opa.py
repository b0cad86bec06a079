"""The OPA that `beholden up` runs takes up a law bundled anew, and never a broken one."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from beholden.core.errors import FailedPrecondition
from beholden.engines.opa import Opa
from beholden.policy.open import open_policy
from tests.engines import Running, needs, running
from tests.pictures import ROOT


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:  # a short name: it holds a socket
        shutil.copytree(ROOT / "policies", Path(name) / "policies")
        yield Path(name)


@pytest.fixture
def served(place: Path) -> Iterator[tuple[Opa, Running]]:
    opa = needs("opa")
    unit = opa.unit(place / "policies", place / "opa", place / "opa.sock")
    with running(unit, place / "log") as server:
        yield opa, server


async def test_a_new_law_is_in_force_without_a_restart(
    place: Path, served: tuple[Opa, Running]
) -> None:
    opa, server = served
    engine = await open_policy(server.unit.address)
    before = (await engine.evaluate({})).revision
    rule = place / "policies" / "usage" / "decision.rego"
    rule.write_text(rule.read_text() + "\n# amended\n")
    opa.bundle(place / "policies", place / "opa")
    async with asyncio.timeout(30):
        while (await engine.evaluate({})).revision == before:
            await asyncio.sleep(0.02)
    await engine.close()


async def test_a_broken_law_never_reaches_it(place: Path, served: tuple[Opa, Running]) -> None:
    opa, server = served
    engine = await open_policy(server.unit.address)
    before = (await engine.evaluate({})).revision
    (place / "policies" / "law" / "limits" / "data.json").write_text("{")
    with pytest.raises(FailedPrecondition, match="limits"):
        opa.bundle(place / "policies", place / "opa")
    assert (await engine.evaluate({})).revision == before
    await engine.close()
