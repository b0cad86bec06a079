"""The databases under the Ledger: a fresh, empty one for each test, opened as often as it likes."""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from beholden.core.ports import Ledger
from beholden.core.record import DECISION, Record
from beholden.ledger.database import connect
from beholden.ledger.open import open_ledger
from beholden.ledger.settings import LedgerSettings
from beholden.ledger.tables import METADATA
from tests import engines

DATABASES = ("sqlite", "postgres") if engines.offered("postgres") else ("sqlite",)


@contextmanager
def database(kind: str, folder: Path, *, migrated: bool = True) -> Iterator[str]:
    """The URL of a ledger of `kind` without entries, or even without tables (`migrated=False`).

    Tables are migrated once: SQLite's are copied, PostgreSQL's are emptied after each test.
    """
    if kind == "sqlite":
        path = folder / "ledger.db"
        if migrated:
            path.write_bytes(_sqlite_tables())
        yield f"sqlite:///{path}"
    elif migrated:
        try:
            yield _postgres_tables()
        finally:
            _empty(_postgres_tables())
    else:
        with _postgres() as url:
            yield url


@cache
def _sqlite_tables() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        connect(f"sqlite:///{path}", LedgerSettings()).writing.dispose()
        return path.read_bytes()


@cache
def _postgres_tables() -> str:
    url = engines.until_the_end(_postgres())
    connect(url, LedgerSettings()).writing.dispose()
    return url


def _empty(url: str) -> None:
    key_file(url).unlink(missing_ok=True)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        for table in METADATA.sorted_tables:
            connection.execute(table.delete())
    engine.dispose()


@contextmanager
def _postgres() -> Iterator[str]:
    url = make_url(engines.server("postgres")).set(
        drivername="postgresql+psycopg", database="postgres"
    )
    name = f"beholden_test_{uuid.uuid4().hex}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        made = url.set(database=name).render_as_string(hide_password=False)
        try:
            yield made
        finally:
            key_file(made).unlink(missing_ok=True)
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def key_file(url: str) -> Path:
    """Where the ledger at `url` has its key: one for all processes that open it."""
    parsed = make_url(url)
    if parsed.drivername == "sqlite":
        return Path(str(parsed.database)).with_suffix(".key")
    return Path(tempfile.gettempdir()) / f"{parsed.database}.key"


def ledger_settings(url: str, **settings: object) -> LedgerSettings:
    """The settings of the ledger at `url`, with `settings` of a test's own."""
    return LedgerSettings.model_validate({"key_file": key_file(url), **settings})


@asynccontextmanager
async def opened(url: str, **settings: object) -> AsyncIterator[Ledger]:
    """The ledger at `url`, closed afterwards."""
    ledger = await open_ledger(url, ledger_settings(url, **settings))
    try:
        yield ledger
    finally:
        await ledger.close()


def record(tenant: str = "news", **changes: object) -> Record:
    """A decision like any other, with `changes`."""
    fields: dict[str, object] = {
        "id": str(uuid.uuid4()),
        "kind": DECISION,
        "time_ns": time.time_ns(),
        "tenant": tenant,
        "principal": "alice@news",
        "action": "face.search",
        "allowed": True,
        "body": {"purpose": "editorial", "revision": "r1", "obligations": [{"kind": "redact"}]},
    }
    return Record(**{**fields, **changes})  # type: ignore[arg-type]
