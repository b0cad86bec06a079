"""Jobs in the ledger's database: a queue that any number of workers share, and what jobs found.

A worker holds a job by a lease. What a chunk found, where the next begins and how far the job is
become durable in one transaction, which only the holder of the lease can make: a worker that was
taken for dead changes nothing, and nothing is found twice.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    func,
    insert,
    not_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from beholden.core.errors import InvalidArgument, NotFound, ResourceExhausted, Unavailable
from beholden.core.gallery import Page
from beholden.core.jobs import Annotation, Claim, Job, JobState, Wanted
from beholden.core.law import Json
from beholden.core.paging import check_page_size, decode_token, encode_token
from beholden.ledger.database import Database, unavailable
from beholden.ledger.job_annotations import (
    add_annotations,
    page_query,
    position_of,
    read_annotation,
)
from beholden.ledger.job_tables import ANNOTATIONS, JOBS, expired, job_row, read_job
from beholden.ledger.job_turns import next_turn
from beholden.ledger.sealed_box import SealedBox
from beholden.ledger.settings import JobSettings

T = TypeVar("T")

_RETRY_AFTER = 30.0
_CLAIM_LOCK = 0x42484A42
_OPEN = (JobState.QUEUED.value, JobState.RUNNING.value)


class SqlJobs:
    """See `core.ports.Jobs`. `clock` is Unix time in nanoseconds."""

    def __init__(
        self,
        database: Database,
        box: SealedBox,
        settings: JobSettings,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._database = database
        self._box = box
        self._settings = settings
        self._clock = clock
        self._keep = int(settings.keep_hours * 3600e9)
        self._threads = ThreadPoolExecutor(2, "jobs")
        self._closed = False

    async def create(self, job: Job) -> Job:
        """See `core.ports.Jobs.create`."""
        caller = self._box.seal(json.dumps(job.caller).encode(), f"{job.id}/caller")

        def add(connection: Connection) -> Job:
            if job.request_id:
                asked = JOBS.c.request_id == job.request_id
                self._expire(connection, JOBS.c.tenant == job.tenant, asked)
            if job.request_id and (there := self._requested(connection, job)):
                return there
            open_jobs = connection.execute(
                select(func.count()).where(JOBS.c.tenant == job.tenant, JOBS.c.state.in_(_OPEN))
            ).scalar_one()
            if open_jobs >= self._settings.max_per_tenant:
                raise ResourceExhausted(
                    f"the tenant has {open_jobs} jobs that are not over", retry_after=_RETRY_AFTER
                )
            connection.execute(insert(JOBS), job_row(job, caller))
            return replace(job, expire_ns=job.delete_ns)

        return await self._do(add)

    async def get(self, tenant: str, id: str) -> Job:
        """See `core.ports.Jobs.get`."""
        return await self._do(lambda connection: self._job(self._row(connection, tenant, id)))

    async def list(
        self, tenant: str, kind: str, *, page_size: int, page_token: str = ""
    ) -> Page[Job]:
        """See `core.ports.Jobs.list`."""
        size = check_page_size(page_size, self._settings.max_page)
        listing = ("jobs", tenant, kind)
        place = (JOBS.c.created_ns, JOBS.c.id)
        query = select(JOBS).where(JOBS.c.tenant == tenant, JOBS.c.kind == kind, self._there())
        if page_token:
            query = query.where(tuple_(*place) < tuple_(*decode_token(listing, page_token)))
        query = query.order_by(*(column.desc() for column in place)).limit(size + 1)
        found = await self._do(
            lambda connection: tuple(map(self._job, connection.execute(query).all()))
        )
        if len(found) <= size:
            return Page(found)
        last = found[size - 1]
        return Page(found[:size], encode_token(listing, (last.created_ns, last.id)))

    async def cancel(self, tenant: str, id: str) -> Job:
        """See `core.ports.Jobs.cancel`."""

        def stop(connection: Connection) -> Job:
            job = self._job(self._row(connection, tenant, id))
            if job.state.over:
                return job
            changes = self._over(JobState.CANCELLED, {})
            connection.execute(update(JOBS).where(JOBS.c.id == id).values(**changes))
            return self._job(self._row(connection, tenant, id))

        return await self._do(stop)

    async def delete(self, tenant: str, id: str) -> Job:
        """See `core.ports.Jobs.delete`."""

        def remove(connection: Connection) -> Job:
            job = self._job(self._row(connection, tenant, id))
            _remove(connection, [id])
            return job

        return await self._do(remove)

    async def claim(self, kind: str, worker: str) -> Claim | None:
        """See `core.ports.Jobs.claim`."""

        def take(connection: Connection) -> Claim | None:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_CLAIM_LOCK})"))
            while (row := next_turn(connection, kind, self._clock())) is not None:
                if row.attempts < self._settings.max_attempts:
                    return self._taken(connection, row, worker)
                connection.execute(
                    update(JOBS)
                    .where(JOBS.c.id == row.id)
                    .values(**self._over(JobState.FAILED, _poison(row)))
                )
            return None

        return await self._do(take)

    async def renew(self, claim: Claim) -> bool:
        """See `core.ports.Jobs.renew`."""
        return await self._holding(claim, lambda connection: {"lease_ns": self._lease()})

    async def advance(
        self,
        claim: Claim,
        *,
        checkpoint: bytes,
        progress: Mapping[str, Json],
        found: Sequence[Annotation],
        delete_ns: int = 0,
    ) -> Claim | None:
        """See `core.ports.Jobs.advance`."""
        chunk = claim.job.chunk
        delete_ns = _sooner(claim.job.delete_ns, delete_ns)

        def step(connection: Connection) -> dict[str, Any]:
            add_annotations(connection, self._box, claim, found)
            return {
                "chunk": chunk + 1,
                "attempts": 1,
                "progress": json.dumps(progress),
                "checkpoint": self._box.seal(checkpoint, f"{claim.job.id}/checkpoint"),
                "lease_ns": self._lease(),
                "delete_ns": delete_ns,
            }

        if not await self._holding(claim, step):
            return None
        job = replace(claim.job, chunk=chunk + 1, progress=progress, delete_ns=delete_ns)
        return Claim(job, claim.worker, checkpoint)

    async def finish(
        self,
        claim: Claim,
        *,
        progress: Mapping[str, Json],
        found: Sequence[Annotation] = (),
        error: Mapping[str, Json] | None = None,
        delete_ns: int = 0,
    ) -> bool:
        """See `core.ports.Jobs.finish`."""

        def end(connection: Connection) -> dict[str, Any]:
            add_annotations(connection, self._box, claim, found)
            state = JobState.SUCCEEDED if error is None else JobState.FAILED
            return {
                **self._over(state, error or {}),
                "progress": json.dumps(progress),
                "delete_ns": _sooner(claim.job.delete_ns, delete_ns),
            }

        return await self._holding(claim, end)

    async def release(self, claim: Claim, *, wait: float = 0.0, counted: bool = False) -> bool:
        """See `core.ports.Jobs.release`."""

        def back(connection: Connection) -> dict[str, Any]:
            return {
                "state": JobState.QUEUED.value,
                "worker": "",
                "wait_ns": self._clock() + int(wait * 1e9),
                "attempts": JOBS.c.attempts if counted else JOBS.c.attempts - 1,
            }

        return await self._holding(claim, back)

    async def annotations(
        self, tenant: str, id: str, wanted: Wanted, *, page_size: int, page_token: str = ""
    ) -> Page[Annotation]:
        """See `core.ports.Jobs.annotations`."""
        size = check_page_size(page_size, self._settings.max_page)
        listing = ("annotations", tenant, id, repr(wanted))
        position = decode_token(listing, page_token) if page_token else None
        query = page_query(id, wanted, position).limit(size + 1)

        def read(connection: Connection) -> Sequence[Row[Any]]:
            self._row(connection, tenant, id)
            return connection.execute(query).all()

        rows = await self._do(read)
        items = tuple(read_annotation(self._box, row) for row in rows[:size])
        if len(rows) <= size:
            return Page(items)
        return Page(items, encode_token(listing, position_of(rows[size - 1], wanted)))

    async def expire(self) -> Sequence[str]:
        """See `core.ports.Jobs.expire`."""
        return await self._do(self._expire)

    async def states(self, ids: Sequence[str]) -> Mapping[str, JobState]:
        """See `core.ports.Jobs.states`."""
        query = select(JOBS.c.id, JOBS.c.state).where(JOBS.c.id.in_(ids))
        rows = await self._do(lambda connection: connection.execute(query).all())
        return {job: JobState(state) for job, state in rows}

    async def unfinished(self, kind: str) -> Mapping[JobState, int]:
        """See `core.ports.Jobs.unfinished`."""
        query = (
            select(JOBS.c.state, func.count())
            .where(JOBS.c.kind == kind, JOBS.c.state.in_(_OPEN))
            .group_by(JOBS.c.state)
        )
        rows = await self._do(lambda connection: connection.execute(query).all())
        return {
            JobState(state): sum(count for found, count in rows if found == state)
            for state in _OPEN
        }

    async def close(self) -> None:
        """Lets go; further calls raise Unavailable."""
        self._closed = True
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._database.writing.dispose)

    async def _do(self, work: Callable[[Connection], T]) -> T:
        if self._closed:
            raise Unavailable("jobs", "are closed")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._doing, work)

    def _doing(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._database.writing.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise unavailable(error) from error

    async def _holding(self, claim: Claim, change: Callable[[Connection], dict[str, Any]]) -> bool:
        """Makes the change if the job is still the claim's, at its chunk."""

        def act(connection: Connection) -> bool:
            mine = and_(
                JOBS.c.id == claim.job.id,
                JOBS.c.state == JobState.RUNNING.value,
                JOBS.c.worker == claim.worker,
                JOBS.c.chunk == claim.job.chunk,
                self._there(),
            )
            # Locked first: between looking and changing nobody else may take it.
            held = connection.execute(select(JOBS.c.id).where(mine).with_for_update()).first()
            if held is None:
                return False
            connection.execute(
                update(JOBS).where(JOBS.c.id == claim.job.id).values(**change(connection))
            )
            return True

        return await self._do(act)

    def _taken(self, connection: Connection, row: Row[Any], worker: str) -> Claim:
        now = self._clock()
        connection.execute(
            update(JOBS)
            .where(JOBS.c.id == row.id)
            .values(
                state=JobState.RUNNING.value,
                worker=worker,
                lease_ns=self._lease(),
                attempts=row.attempts + 1,
                claimed_ns=now,
                started_ns=row.started_ns or now,
            )
        )
        job = replace(self._job(row), state=JobState.RUNNING, attempts=row.attempts + 1)
        checkpoint = b""
        if row.checkpoint is not None:
            checkpoint = self._box.open(bytes(row.checkpoint), f"{row.id}/checkpoint")
        return Claim(job, worker, checkpoint)

    def _lease(self) -> int:
        return self._clock() + int(self._settings.lease_seconds * 1e9)

    def _over(self, state: JobState, error: Mapping[str, Json]) -> dict[str, Any]:
        return {
            "state": state.value,
            "error": json.dumps(error),
            "checkpoint": None,
            "worker": "",
            "ended_ns": self._clock(),
        }

    def _requested(self, connection: Connection, job: Job) -> Job | None:
        row = connection.execute(
            select(JOBS).where(JOBS.c.tenant == job.tenant, JOBS.c.request_id == job.request_id)
        ).first()
        if row is None:
            return None
        there = self._job(row)
        if there.kind != job.kind or there.spec != json.loads(json.dumps(job.spec)):
            raise InvalidArgument("request_id", "was used for another request; take a new one")
        return there

    def _row(self, connection: Connection, tenant: str, id: str) -> Row[Any]:
        row = connection.execute(
            select(JOBS)
            .where(JOBS.c.id == id, JOBS.c.tenant == tenant, self._there())
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise NotFound(f"operations/{id}")
        return row

    def _job(self, row: Row[Any]) -> Job:
        return read_job(row, self._box.open(bytes(row.caller), f"{row.id}/caller"), self._keep)

    def _there(self) -> ColumnElement[bool]:
        return not_(expired(self._clock(), self._keep))

    def _expire(self, connection: Connection, *of: ColumnElement[bool]) -> Sequence[str]:
        old = select(JOBS.c.id).where(expired(self._clock(), self._keep), *of)
        ids = connection.execute(old).scalars().all()
        _remove(connection, ids)
        return ids


def _remove(connection: Connection, ids: Sequence[str]) -> None:
    connection.execute(delete(ANNOTATIONS).where(ANNOTATIONS.c.job.in_(ids)))
    connection.execute(delete(JOBS).where(JOBS.c.id.in_(ids)))


def _sooner(one: int, other: int) -> int:
    """Of two times, 0 where there is none."""
    return min(one, other) if one and other else one or other


def _poison(row: Row[Any]) -> dict[str, Json]:
    return {
        "code": "ABORTED",
        "reason": "POISON",
        "message": f"ended its worker {row.attempts} times at chunk {row.chunk}; it is not tried again",
    }
