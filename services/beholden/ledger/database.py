"""The databases: SQLite and PostgreSQL made to keep what they acknowledge, and brought up to date."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from beholden.core.errors import FailedPrecondition, Unavailable
from beholden.ledger.schema import bring_up_to_date, current
from beholden.ledger.settings import LedgerSettings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Database:
    """Two views of one pool: transactions of `writing` lock at once, those of `reading` see one moment."""

    writing: Engine
    reading: Engine


def connect(url: str, settings: LedgerSettings) -> Database:
    """The database at `url`, its tables made or migrated.

    Raises FailedPrecondition for a URL that is not of ours or a ledger that a newer Beholden wrote;
    sqlalchemy's errors where the database cannot be reached.
    """
    parsed = _parse(url)
    options: dict[str, Any] = {
        "pool_size": settings.readers + 2,
        "max_overflow": 0,
        "pool_timeout": settings.timeout,
        "hide_parameters": True,
    }
    if parsed.get_backend_name() == "sqlite":
        database = _sqlite(parsed, options, settings)
    else:
        database = _postgresql(parsed, options, settings)
    with database.reading.connect() as connection:
        ready = current(connection)
    if not ready:
        with database.writing.begin() as connection:
            bring_up_to_date(connection)
    return database


def unavailable(error: Exception) -> Unavailable:
    """What a database's error is to a caller: its first line, without statement or parameters."""
    cause = getattr(error, "orig", None) or error
    problem = (str(cause).splitlines() or [""])[0] or type(cause).__name__
    _log.error("the ledger's database failed: %s", problem)
    return Unavailable("ledger", problem)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is not None:
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        in_memory = parsed.database in (None, "", ":memory:")
        if parsed.drivername == "postgresql+psycopg" or (
            parsed.drivername == "sqlite" and not in_memory
        ):
            return parsed
    raise FailedPrecondition(
        "ledger_url is of no database that keeps a ledger",
        remedy="use sqlite:///PATH or postgresql://USER@HOST/DATABASE",
    )


def _sqlite(url: URL, options: dict[str, Any], settings: LedgerSettings) -> Database:
    path = Path(str(url.database))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Only made, never opened: closing any descriptor of a database that this process has open drops
    # its locks, and the next reader takes the write-ahead log away (sqlite.org/howtocorrupt.html).
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDONLY, 0o600))
    engine = create_engine(url, connect_args={"timeout": settings.timeout / 2}, **options)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading")
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return Database(engine, engine.execution_options(reading=True))


def _postgresql(url: URL, options: dict[str, Any], settings: LedgerSettings) -> Database:
    milliseconds = int(settings.timeout * 1000)
    engine = create_engine(
        url,
        connect_args={
            "connect_timeout": max(1, int(settings.timeout)),
            "tcp_user_timeout": milliseconds,
            "options": f"-c lock_timeout={milliseconds // 2}",
        },
        pool_pre_ping=True,  # so that the first commit after a restart comes through
        **options,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        # An operator may ask for more than "on" (remote_apply), never for less.
        if connection.execute("SHOW synchronous_commit").fetchone()[0] == "off":
            connection.execute("SET synchronous_commit TO on")
        connection.commit()

    reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Database(engine, reading)
