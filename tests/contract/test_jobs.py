"""The queue of jobs: whose turn it is, who holds what, and that nothing is found twice."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from beholden.core.errors import InvalidArgument, NotFound, ResourceExhausted
from beholden.core.geometry import Box
from beholden.core.jobs import Annotation, Claim, Job, JobState, Wanted
from beholden.ledger.database import connect
from beholden.ledger.job_tables import ANNOTATIONS
from beholden.ledger.jobs import SqlJobs
from beholden.ledger.sealed_box import SealedBox
from beholden.ledger.settings import JobSettings, LedgerSettings
from tests.contract.ledgers import DATABASES, database

SECOND = 1_000_000_000


@dataclass
class Clock:
    now: int = 1000 * SECOND

    def __call__(self) -> int:
        self.now += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with database(request.param, tmp_path) as url:
        yield url


@pytest.fixture
async def jobs(url: str, clock: Clock) -> AsyncIterator[SqlJobs]:
    opened = await asyncio.to_thread(connect, url, LedgerSettings())
    settings = JobSettings(lease_seconds=10, max_attempts=3, max_per_tenant=4, keep_hours=1)
    made = SqlJobs(opened, SealedBox(bytes(32)), settings, clock)
    yield made
    await made.close()


def job(name: str, tenant: str = "one", **values: object) -> Job:
    made = Job(
        id=name.ljust(36, "0"),
        kind="video",
        tenant=tenant,
        principal="ann",
        spec={"path": name},
        caller={"tenant": tenant},
        created_ns=ord(name[0]),
    )
    return replace(made, **values)  # type: ignore[arg-type]


def note(start: int, name: str = "Car", **values: object) -> Annotation:
    return replace(Annotation("LABELS", name, start, start + 1, 0.9), **values)  # type: ignore[arg-type]


async def taken(jobs: SqlJobs, worker: str = "w") -> Claim:
    claim = await jobs.claim("video", worker)
    assert claim is not None
    return claim


async def test_tenants_take_turns_and_priority_orders_ones_own(jobs: SqlJobs) -> None:
    for name, priority in (("a", 0), ("b", 0), ("c", 9)):
        await jobs.create(job(name, "greedy", priority=priority))
    await jobs.create(job("x", "modest"))
    order = []
    for _ in range(4):
        claim = await taken(jobs)
        order.append(claim.job.id[0])
        await jobs.finish(claim, progress={})
    assert order == ["c", "x", "a", "b"]
    assert await jobs.claim("video", "w") is None


async def test_what_waits_and_what_runs_is_counted(jobs: SqlJobs) -> None:
    assert await jobs.unfinished("video") == {JobState.QUEUED: 0, JobState.RUNNING: 0}
    for name, tenant in (("a", "one"), ("b", "one"), ("c", "two"), ("d", "two")):
        await jobs.create(job(name, tenant))
    await jobs.finish(await taken(jobs), progress={})
    await taken(jobs)
    assert await jobs.unfinished("video") == {JobState.QUEUED: 2, JobState.RUNNING: 1}
    assert set((await jobs.unfinished("another")).values()) == {0}


async def test_who_has_less_running_comes_first(jobs: SqlJobs) -> None:
    for name in "abc":
        await jobs.create(job(name, "greedy"))
    await taken(jobs)
    await jobs.create(job("x", "modest"))
    await jobs.create(job("y", "modest"))
    assert [(await taken(jobs)).job.id[0] for _ in range(3)] == ["x", "b", "y"]


async def test_a_chunk_is_found_once_whoever_worked(jobs: SqlJobs, clock: Clock) -> None:
    await jobs.create(job("a"))
    lost = await taken(jobs, "lost")
    first = await jobs.advance(lost, checkpoint=b"1", progress={"n": 1}, found=[note(1)])
    assert first is not None
    clock.now += 11 * SECOND
    heir = await taken(jobs, "heir")
    assert (heir.job.chunk, heir.checkpoint, heir.job.progress) == (1, b"1", {"n": 1})
    # The one that was taken for dead comes back: nothing that it does counts.
    assert await jobs.advance(first, checkpoint=b"2", progress={}, found=[note(2)]) is None
    assert not await jobs.renew(first)
    assert not await jobs.finish(first, progress={}, found=[note(2)])
    second = await jobs.advance(heir, checkpoint=b"2", progress={}, found=[note(2)])
    assert second is not None
    assert not await jobs.renew(heir), "a claim is good for its own chunk"
    assert await jobs.finish(second, progress={}, found=[note(3)])
    page = await jobs.annotations("one", heir.job.id, Wanted(), page_size=10)
    assert [one.start_us for one in page.items] == [1, 2, 3]


async def test_a_job_that_ends_its_workers_is_given_up(jobs: SqlJobs, clock: Clock) -> None:
    await jobs.create(job("p"))
    await jobs.create(job("q", "two"))
    for _ in range(2):
        claim = await taken(jobs)
        clock.now += 11 * SECOND
    assert claim.job.id[0] == "q"
    for _ in range(4):
        await taken(jobs)
        clock.now += 11 * SECOND
    assert await jobs.claim("video", "w") is None
    over = await jobs.get("one", job("p").id)
    assert over.state is JobState.FAILED
    assert over.error["reason"] == "POISON"
    assert "3 times at chunk 0" in str(over.error["message"])


async def test_progress_makes_up_for_lost_workers(jobs: SqlJobs, clock: Clock) -> None:
    await jobs.create(job("a"))
    for _ in range(10):
        claim = await taken(jobs)
        assert await jobs.advance(claim, checkpoint=b"", progress={}, found=[])
        clock.now += 11 * SECOND
    assert (await taken(jobs)).job.chunk == 10


async def test_released_jobs_wait_and_do_not_count(jobs: SqlJobs, clock: Clock) -> None:
    await jobs.create(job("a"))
    for _ in range(5):
        claim = await taken(jobs)
        assert await jobs.release(claim, wait=5)
        assert await jobs.claim("video", "w") is None
        clock.now += 6 * SECOND


async def test_cancelled_is_over_at_once(jobs: SqlJobs) -> None:
    await jobs.create(job("a"))
    claim = await taken(jobs)
    assert (await jobs.cancel("one", claim.job.id)).state is JobState.CANCELLED
    assert not await jobs.renew(claim)
    assert await jobs.advance(claim, checkpoint=b"", progress={}, found=[note(1)]) is None
    assert (await jobs.annotations("one", claim.job.id, Wanted(), page_size=9)).items == ()
    assert (await jobs.cancel("one", claim.job.id)).state is JobState.CANCELLED


async def test_requests_are_told_apart(jobs: SqlJobs) -> None:
    first = await jobs.create(job("a", request_id="r"))
    assert (await jobs.create(job("b", request_id="r", spec=first.spec))).id == first.id
    with pytest.raises(InvalidArgument):
        await jobs.create(job("c", request_id="r"))
    assert (await jobs.create(job("d", "two", request_id="r"))).id == job("d").id


async def test_bounds_and_leaving(jobs: SqlJobs, clock: Clock) -> None:
    for name in "abcd":
        await jobs.create(job(name))
    with pytest.raises(ResourceExhausted):
        await jobs.create(job("e"))
    claim = await taken(jobs)
    await jobs.finish(claim, progress={}, found=[note(1)])
    with pytest.raises(NotFound):
        await jobs.get("two", claim.job.id)
    with pytest.raises(NotFound):
        await jobs.annotations("two", claim.job.id, Wanted(), page_size=9)
    assert await jobs.states([claim.job.id, job("b").id, "none"]) == {
        claim.job.id: JobState.SUCCEEDED,
        job("b").id: JobState.QUEUED,
    }
    over = await jobs.get("one", claim.job.id)
    assert over.expire_ns == over.ended_ns + 3600 * SECOND
    assert await jobs.expire() == []
    clock.now += 3601 * SECOND
    with pytest.raises(NotFound):
        await jobs.get("one", claim.job.id)
    assert await jobs.expire() == [claim.job.id]
    await jobs.delete("one", job("b").id)
    assert [one.id[0] for one in (await jobs.list("one", "video", page_size=9)).items] == ["d", "c"]


@pytest.mark.parametrize("state", JobState)
async def test_what_the_law_wants_gone_is(jobs: SqlJobs, clock: Clock, state: JobState) -> None:
    """From that instant on nobody has it, nobody works on it, and the sweep comes later."""
    gone = job("a", request_id="r", delete_ns=clock.now + 100 * SECOND)
    assert (await jobs.create(gone)).expire_ns == gone.delete_ns
    claim = None
    if state not in (JobState.QUEUED, JobState.CANCELLED):
        claim = await taken(jobs)
        claim = await jobs.advance(claim, checkpoint=b"1", progress={}, found=[note(1)])
        assert claim is not None
    if state in (JobState.SUCCEEDED, JobState.FAILED):
        assert claim is not None
        error = {"reason": "BAD"} if state is JobState.FAILED else None
        assert await jobs.finish(claim, progress={}, error=error)
    if state is JobState.CANCELLED:
        await jobs.cancel("one", gone.id)
    there = await jobs.get("one", gone.id)
    assert (there.state, there.expire_ns) == (state, gone.delete_ns)
    clock.now = gone.delete_ns
    for asked in (
        jobs.get("one", gone.id),
        jobs.annotations("one", gone.id, Wanted(), page_size=9),
        jobs.cancel("one", gone.id),
    ):
        with pytest.raises(NotFound):
            await asked
    assert (await jobs.list("one", "video", page_size=9)).items == ()
    if claim is not None:
        assert not await jobs.renew(claim)
        assert await jobs.advance(claim, checkpoint=b"2", progress={}, found=[note(2)]) is None
    clock.now += 11 * SECOND  # and no lease is left
    assert await jobs.claim("video", "w") is None
    assert await jobs.expire() == [gone.id]
    assert await jobs.expire() == []


async def test_a_law_that_comes_meanwhile_only_shortens(jobs: SqlJobs, clock: Clock) -> None:
    await jobs.create(job("a"))
    claim = await taken(jobs)
    ends = []
    for asked in (0, 90, 50, 70, 0):
        delete_ns = asked and 2000 * SECOND + asked
        after = await jobs.advance(
            claim, checkpoint=b"", progress={}, found=[], delete_ns=delete_ns
        )
        assert after is not None
        claim = after
        ends.append((await jobs.get("one", claim.job.id)).expire_ns % SECOND)
    assert ends == [0, 90, 50, 50, 50]
    await jobs.finish(claim, progress={}, delete_ns=2000 * SECOND + 40)
    assert (await jobs.get("one", claim.job.id)).expire_ns % SECOND == 40


async def test_a_request_whose_job_is_gone_is_a_new_one(jobs: SqlJobs, clock: Clock) -> None:
    first = await jobs.create(job("a", request_id="r", delete_ns=clock.now + SECOND))
    clock.now += SECOND
    again = await jobs.create(job("b", request_id="r", spec=first.spec))
    assert again.id == job("b").id


async def test_what_was_found_comes_back_as_it_was(jobs: SqlJobs, url: str) -> None:
    await jobs.create(job("a"))
    claim = await taken(jobs)
    full = note(
        5,
        "Bus",
        span=True,
        track=3,
        box=Box(0.1, 0.2, 0.3, 0.4),
        detail={"parents": ["Vehicle"]},
        picture=b"\xff\xd8\n\n",
    )
    await jobs.finish(claim, progress={}, found=[note(9), note(7), note(7, "Apple"), full])
    own = claim.job.id
    whole = await jobs.annotations("one", own, Wanted(spans=True), page_size=9)
    assert whole.items == (full,)
    by_name = await jobs.annotations("one", own, Wanted(by_name=True), page_size=9)
    assert [(one.name, one.start_us) for one in by_name.items] == [
        ("Apple", 7),
        ("Car", 7),
        ("Car", 9),
    ]
    only = await jobs.annotations("one", own, Wanted(name="Apple"), page_size=9)
    assert len(only.items) == 1
    assert (await jobs.annotations("one", own, Wanted(("TEXT",)), page_size=9)).items == ()
    engine = create_engine(url)
    with engine.connect() as connection:
        kept = connection.scalars(select(ANNOTATIONS.c.body)).all()
    engine.dispose()
    assert len(kept) == 4
    assert not any(b"Vehicle" in bytes(one) for one in kept), "encrypted"
