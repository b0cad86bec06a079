"""The tables of jobs and what they found, and how rows become values."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    or_,
)

from beholden.core.jobs import Job, JobState
from beholden.ledger.tables import METADATA

JOBS = Table(
    "jobs",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("tenant", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("spec", Text, nullable=False),
    Column("caller", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("chunk", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("progress", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("checkpoint", LargeBinary),
    Column("worker", Text, nullable=False),
    Column("lease_ns", BigInteger, nullable=False),
    Column("wait_ns", BigInteger, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("claimed_ns", BigInteger, nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger, nullable=False),
    Column("delete_ns", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("tenant", "request_id", name="jobs_by_request"),
)
Index("jobs_by_tenant", JOBS.c.tenant, JOBS.c.created_ns, JOBS.c.id)
Index("jobs_by_state", JOBS.c.state, JOBS.c.lease_ns)

ANNOTATIONS = Table(
    "job_annotations",
    METADATA,
    Column("job", String(36), primary_key=True),
    Column("chunk", Integer, primary_key=True, autoincrement=False),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("span", Boolean, nullable=False),
    Column("feature", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("start_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index(
    "job_annotations_by_time",
    ANNOTATIONS.c.job,
    ANNOTATIONS.c.span,
    ANNOTATIONS.c.start_us,
    ANNOTATIONS.c.chunk,
    ANNOTATIONS.c.ordinal,
)

_SAME = ("id", "kind", "tenant", "principal", "request_id", "priority", "chunk", "attempts")
_TIMES = ("created_ns", "started_ns", "ended_ns", "delete_ns")


def expired(now: int, keep: int) -> ColumnElement[bool]:
    """The law's time is over, or the job was over `keep` nanoseconds ago."""
    return or_(
        and_(JOBS.c.delete_ns > 0, JOBS.c.delete_ns <= now),
        and_(JOBS.c.ended_ns > 0, JOBS.c.ended_ns <= now - keep),
    )


def job_row(job: Job, caller: bytes) -> dict[str, Any]:
    """A new job as its columns; `caller` is the sealed caller."""
    return {
        **{name: getattr(job, name) for name in (*_SAME, *_TIMES)},
        # Without a request id nothing is the same request: the job's own id stands in for it.
        "request_id": job.request_id or job.id,
        "spec": json.dumps(job.spec),
        "caller": caller,
        "state": job.state.value,
        "progress": json.dumps(job.progress),
        "error": json.dumps(job.error),
        "worker": "",
        "lease_ns": 0,
        "wait_ns": 0,
        "claimed_ns": 0,
    }


def read_job(row: Row[Any], caller: bytes, keep: int) -> Job:
    """A row of `jobs`; `caller` is the opened one, `keep` how long one that is over is kept."""
    ends = [row.delete_ns] * (row.delete_ns > 0) + [row.ended_ns + keep] * (row.ended_ns > 0)
    return Job(
        **{name: getattr(row, name) for name in (*_SAME, *_TIMES)},
        spec=json.loads(row.spec),
        caller=json.loads(caller),
        state=JobState(row.state),
        progress=json.loads(row.progress),
        error=json.loads(row.error),
        expire_ns=min(ends, default=0),
    )
