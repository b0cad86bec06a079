"""Notices in the ledger's database: owed with the decision, claimed by one process at a time, settled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, select, update

from beholden.core.notice import NOTIFY, Notice
from beholden.core.record import DECISION, Record
from beholden.ledger.tables import NOTICES

_TENANT = ("id", "kind", "jurisdiction")
_DECLARED = ("purpose", "jurisdiction", "on_behalf_of", "realtime", "public_space")
_EVIDENCE = ("id", "issuer", "urgent", "issued", "expires")


def notice_of(record: Record) -> dict[str, Any] | None:
    """The row that a record owes; None where nobody is to be told.

    It says who used what, where, on which ground, and until when its outputs last; never whom or what
    the call was about.
    """
    decision: Any = record.body.get("decision")
    if record.kind != DECISION or not record.allowed or not isinstance(decision, Mapping):
        return None
    owed = [one for one in decision.get("obligations", ()) if one["kind"] == NOTIFY]
    if not owed:
        return None
    facts: Any = record.body.get("facts", {})
    tenant, shown = facts.get("tenant", {}), facts.get("evidence", {}).get("authorisation", {})
    body = {
        "decision": record.id,
        "to": sorted({name for one in owed for name in _names(one["value"])}),
        "laws": sorted({one["law"] for one in owed}),
        "time": _instant(record.time_ns),
        "tenant": {name: tenant.get(name, "") for name in _TENANT},
        "action": record.action,
        **{name: facts.get(name, "") for name in _DECLARED},
        "exemptions": list(decision.get("exemptions", ())),
        "authorisation": {name: shown[name] for name in _EVIDENCE if name in shown},
        "delete_by": record.body.get("delete_by", ""),
        "revision": decision.get("revision", ""),
    }
    return {
        # A stream's decision is renewed under the same id, and tells anew.
        "id": f"{record.id}.{record.time_ns}",
        "tenant": record.tenant,
        "created_ns": record.time_ns,
        "body": json.dumps(body, sort_keys=True, separators=(",", ":")),
        "due_ns": record.time_ns,
        "attempts": 0,
        "problem": "",
    }


def any_due(connection: Connection, now_ns: int) -> bool:
    """Whether one waits to be delivered; reads only."""
    return bool(connection.execute(select(exists().where(*_due(now_ns)))).scalar())


def claim(connection: Connection, now_ns: int, until_ns: int) -> tuple[str, str, int] | None:
    """One that is due, its body, and how often it was tried; it is nobody else's before `until_ns`."""
    row = connection.execute(
        select(NOTICES.c.id, NOTICES.c.body, NOTICES.c.attempts)
        .where(*_due(now_ns))
        .order_by(NOTICES.c.due_ns)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    connection.execute(update(NOTICES).where(NOTICES.c.id == row.id).values(due_ns=until_ns))
    return row.id, row.body, row.attempts


def delivered(connection: Connection, id: str, now_ns: int) -> None:
    """It came through."""
    connection.execute(
        update(NOTICES)
        .where(NOTICES.c.id == id)
        .values(delivered_ns=now_ns, problem="", attempts=NOTICES.c.attempts + 1)
    )


def failed(connection: Connection, id: str, problem: str, again_ns: int) -> None:
    """It did not, and is due again at `again_ns`."""
    connection.execute(
        update(NOTICES)
        .where(NOTICES.c.id == id)
        .values(due_ns=again_ns, problem=problem, attempts=NOTICES.c.attempts + 1)
    )


def forget(connection: Connection, before_ns: int) -> None:
    """Drops those that were delivered before."""
    connection.execute(delete(NOTICES).where(NOTICES.c.delivered_ns < before_ns))


def read_notices(connection: Connection, *, waiting_only: bool, most: int) -> tuple[Notice, ...]:
    """The newest, newest first."""
    query = select(NOTICES).order_by(NOTICES.c.created_ns.desc(), NOTICES.c.id.desc()).limit(most)
    if waiting_only:
        query = query.where(NOTICES.c.delivered_ns.is_(None))
    return tuple(map(_notice, connection.execute(query).all()))


def _names(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _due(now_ns: int) -> tuple[Any, ...]:
    return NOTICES.c.delivered_ns.is_(None), NOTICES.c.due_ns <= now_ns


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        id=row.id,
        tenant=row.tenant,
        created_ns=row.created_ns,
        body=json.loads(row.body),
        attempts=row.attempts,
        problem=row.problem,
        delivered_ns=row.delivered_ns or 0,
    )


def _instant(ns: int) -> str:
    return datetime.fromtimestamp(ns // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
