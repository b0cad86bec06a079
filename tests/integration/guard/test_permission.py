"""Jobs that ask the law again about the call which began them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest

from beholden.core.caller import Caller
from beholden.core.errors import Denied, Unauthenticated, Unavailable
from beholden.core.law import Decision, Reason
from beholden.guard.authorities import Authorities, Authority
from beholden.guard.permission import LivePermission, Permissions
from tests.integration.guard.house import TENANTS, Book, Law

NS = 1_795_307_737_000_000_000
REFUSED = Decision(False, "r2", reasons=(Reason("MORATORIUM", "noon", "Stop at noon."),))
COURT = {"id": "order-1", "issuer": "court", "expires": "2030-01-01T00:00:00Z"}


class Job:
    """A permission for a job that `caller` began, its law and its ledger."""

    def __init__(self, interval: float = 60, **facts: Any) -> None:
        self.law, self.book = Law(), Book()
        self.authorities = Authorities({"court": Authority(frozenset({"authorisation"}), {}, 60)})
        self.tenants: dict[str, Any] = dict(TENANTS)
        begun = Caller(
            "daily-herald",
            "ada",
            facts={
                "action": "video.analyze",
                "tenant": {"id": "daily-herald", "kind": "another"},
                "purpose": "archive",
                "on_behalf_of": "",
                "evidence": {},
                "time": {"ns": 1},
            }
            | facts,
            rpc="/beholden.v1.VideoService/AnalyzeVideo",
            decision_id="d1",
        )
        kept = json.loads(json.dumps(asdict(begun)))
        self.permission: LivePermission = Permissions(
            self.law,  # type: ignore[arg-type]
            self.book,  # type: ignore[arg-type]
            self.tenants,
            authorities=lambda: self.authorities,
            clock=lambda: NS,
            interval=interval,
        ).of(Caller(**kept))

    def recorded(self) -> Sequence[tuple[str, bool, Any]]:
        return [
            (one.id, one.allowed, one.body["decision"]["revision"])  # type: ignore[index, call-overload]
            for one in self.book.records
        ]


async def test_asks_with_the_facts_of_the_call_as_of_now() -> None:
    job = Job(on_behalf_of="metro-police")
    assert (await job.permission.again()).allowed
    [asked] = job.law.asked
    assert asked["tenant"] == {**TENANTS["daily-herald"], "id": "daily-herald"}
    assert asked["client"] == {**TENANTS["metro-police"], "id": "metro-police"}
    assert (asked["purpose"], asked["time"]["ns"]) == ("archive", NS)  # type: ignore[index, call-overload]
    [record] = job.book.records
    assert (record.kind, record.id, record.action) == ("decision", "d1", "video.analyze")
    assert (record.tenant, record.principal) == ("daily-herald", "ada")
    assert record.body["facts"] == asked


async def test_only_what_changed_is_written_again() -> None:
    job = Job()
    for _ in range(3):
        await job.permission.again()
    job.law.answer = REFUSED
    for _ in range(2):
        with pytest.raises(Denied, match="Stop at noon"):
            await job.permission.again()
    assert job.recorded() == [("d1", True, "r1"), ("d1", False, "r2")]


async def test_a_job_does_not_begin_without_leave() -> None:
    job = Job()
    job.law.answer = REFUSED
    begun = []

    async def work() -> None:
        begun.append(1)

    with pytest.raises(Denied):
        await job.permission.hold(work)
    assert not begun


@pytest.mark.parametrize("interval", [60, 0.01], ids=["told", "by and by"])
async def test_a_law_that_turns_stops_the_job(interval: float) -> None:
    job = Job(interval)
    ended = []

    async def work() -> None:
        if interval < 1:
            job.law.answer = REFUSED
        else:
            job.law.turn(REFUSED)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    with pytest.raises(Denied):
        await job.permission.hold(work)
    assert ended
    assert job.recorded() == [("d1", True, "r1"), ("d1", False, "r2")]


async def test_a_job_that_ends_says_how() -> None:
    async def done() -> int:
        return 7

    async def failed() -> int:
        raise OSError("disk")

    assert await Job().permission.hold(done) == 7
    with pytest.raises(OSError, match="disk"):
        await Job().permission.hold(failed)


async def test_a_cancelled_job_takes_its_work_along() -> None:
    job, begun, ended = Job(), asyncio.Event(), []

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    running = asyncio.create_task(job.permission.hold(work))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended


async def test_evidence_stands_until_it_is_revoked() -> None:
    job = Job(evidence={"authorisation": COURT})
    await job.permission.again()
    job.authorities = Authorities(job.authorities.issuers, frozenset({("court", "order-1")}))
    await job.permission.again()
    job.authorities = Authorities()
    await job.permission.again()
    assert [asked["evidence"] for asked in job.law.asked] == [{"authorisation": COURT}, {}, {}]


async def test_a_tenant_that_is_gone_has_no_jobs() -> None:
    job = Job()
    del job.tenants["daily-herald"]
    with pytest.raises(Unauthenticated):
        await job.permission.again()
    assert not job.law.asked


async def test_without_an_answer_nothing_may_be_done() -> None:
    job = Job()
    job.law.answer = Unavailable("opa", "is away")
    with pytest.raises(Unavailable):
        await job.permission.again()
    job.law.answer = Decision(True, "r1")
    assert (await job.permission.again()).allowed
