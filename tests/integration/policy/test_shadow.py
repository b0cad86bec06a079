"""A candidate law beside the one in force: what it would change is counted, and nothing of it is done."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from beholden.core.caller import Caller
from beholden.core.errors import Unavailable
from beholden.core.law import Decision, Difference
from beholden.core.ports import Shadow
from beholden.governance.pipeline import GovernancePipeline
from beholden.policy.open import open_shadow
from beholden.policy.settings import PolicySettings
from tests.contract.policy_engines import POLICIES, call

LIVE = Decision(True, "live")
NEWSROOM = call(purpose="editorial_research")
POLICE = call("metro-police", purpose="criminal_investigation")


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(POLICIES, tmp_path / "candidate"))


@pytest.fixture(name="metrics")
def _metrics() -> InMemoryMetricReader:
    return InMemoryMetricReader()


@pytest.fixture(name="shadow")
async def _shadow(folder: Path, metrics: InMemoryMetricReader) -> AsyncIterator[Any]:
    meter = MeterProvider([metrics]).get_meter("test")
    opened = open_shadow(PolicySettings(shadow=folder, watch=0.02, threads=4), meter)
    assert opened is not None
    yield opened
    await opened.close()


def counted(metrics: InMemoryMetricReader) -> Counter[str]:
    data = metrics.get_metrics_data()
    found: Counter[str] = Counter()
    for resource in data.resource_metrics if data else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    found[str((point.attributes or {})["change"])] += int(point.value)  # type: ignore[union-attr]
    return found


async def asked(shadow: Any, count: int) -> None:
    """Waits until it has dealt with so many."""
    while shadow.status().compared + shadow.status().failed < count:
        await asyncio.sleep(0.01)


async def taken_up(shadow: Any) -> None:
    while not shadow._engine.loaded:
        await asyncio.sleep(0.01)


async def test_what_would_change_is_counted(
    shadow: Any, folder: Path, metrics: InMemoryMetricReader
) -> None:
    await taken_up(shadow)
    for number in range(5):
        shadow.offer(f"d{number}", POLICE, LIVE)
    shadow.offer("n1", NEWSROOM, await shadow._engine.decide(NEWSROOM))
    await asked(shadow, 6)
    status = shadow.status()
    assert status.differences == (
        Difference(
            "newly refused",
            "metro-police",
            "face.search",
            ("amazon-2021/police-face-comparison",),
            5,
            ("d0", "d1", "d2"),
        ),
    )
    assert (status.dropped, status.failed, status.problem) == (0, 0, "")
    assert counted(metrics) == {"newly refused": 5, "same": 1}

    # Another candidate is another count.
    (folder / "law/regimes/data.json").write_text('{"adopted": []}')
    await shadow._engine.changed(status.revision)
    shadow.offer("d9", POLICE, LIVE)
    while shadow.status().revision == status.revision:
        await asyncio.sleep(0.01)
    assert shadow.status().compared == 1


async def test_it_is_never_waited_for_and_drops_what_is_too_much(
    shadow: Any, metrics: InMemoryMetricReader
) -> None:
    shadow.offer("d0", POLICE, LIVE)
    assert shadow.status().compared == shadow.status().dropped == 0  # no law yet: nothing is kept
    await taken_up(shadow)
    for number in range(300):
        shadow.offer(f"d{number}", POLICE, LIVE)
    assert shadow.status().dropped == counted(metrics)["dropped"] == 300 - 256


async def test_a_candidate_that_gives_no_answer_is_not_felt(
    shadow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await taken_up(shadow)
    for error in (Unavailable("rego", "too slow"), RuntimeError("a bug")):

        async def decide(_: Any, error: Exception = error) -> Decision:
            raise error

        monkeypatch.setattr(shadow._engine, "decide", decide)
        before = shadow.status().failed
        shadow.offer("d", POLICE, LIVE)
        await asked(shadow, before + 1)
    assert (shadow.status().failed, shadow.status().compared) == (2, 0)


async def test_a_candidate_that_is_malformed_says_so(tmp_path: Path) -> None:
    meter = MeterProvider([]).get_meter("test")
    opened = open_shadow(PolicySettings(shadow=tmp_path, watch=0.02), meter)
    assert opened is not None
    while not opened.status().problem:
        await asyncio.sleep(0.01)
    assert "cannot be read" in opened.status().problem
    await opened.close()
    assert open_shadow(PolicySettings(), meter) is None


async def test_tenants_see_their_own(shadow: Shadow) -> None:
    def seen(*roles: str, tenant: str = "daily-herald") -> list[str]:
        pipeline = GovernancePipeline(None, None, shadow)  # type: ignore[arg-type]
        status = pipeline.shadow(Caller(tenant, "ann", roles))
        assert status is not None
        return [one.tenant for one in status.differences]

    await taken_up(shadow)
    shadow.offer("d", POLICE, LIVE)
    await asked(shadow, 1)
    assert seen("auditor") == []
    assert seen("auditor", tenant="metro-police") == seen("operator") == ["metro-police"]
