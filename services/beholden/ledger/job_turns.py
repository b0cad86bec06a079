"""Whose turn it is, among the jobs of all tenants."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, and_, func, or_, select

from beholden.core.jobs import JobState
from beholden.ledger.job_tables import JOBS


def next_turn(connection: Connection, kind: str, now: int) -> Row[Any] | None:
    """The job whose turn it is: its tenant has the least running, or was served longest ago.

    Free are jobs that wait no longer, and those whose lease is over; `now` is Unix nanoseconds. Within
    a tenant the highest priority comes first, and then the oldest.
    """
    running = and_(JOBS.c.state == JobState.RUNNING.value, JOBS.c.lease_ns > now)
    loads = (
        select(
            JOBS.c.tenant,
            func.count().filter(running).label("running"),
            func.max(JOBS.c.claimed_ns).label("served"),
        )
        .group_by(JOBS.c.tenant)
        .subquery()
    )
    free = or_(
        and_(JOBS.c.state == JobState.QUEUED.value, JOBS.c.wait_ns <= now),
        and_(JOBS.c.state == JobState.RUNNING.value, JOBS.c.lease_ns <= now),
    )
    return connection.execute(
        select(JOBS)
        .join(loads, loads.c.tenant == JOBS.c.tenant)
        .where(JOBS.c.kind == kind, free, or_(JOBS.c.delete_ns == 0, JOBS.c.delete_ns > now))
        .order_by(
            loads.c.running,
            loads.c.served,
            JOBS.c.priority.desc(),
            JOBS.c.created_ns,
            JOBS.c.id,
        )
        .limit(1)
    ).first()
