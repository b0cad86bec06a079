"""The databases under the Ledger: a fresh, empty one for each test, opened as often as it likes."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from beholden.core.ports import Ledger
from beholden.core.record import DECISION, Record
from beholden.ledger.open import open_ledger
from beholden.ledger.settings import LedgerSettings

DATABASES = ("sqlite", "postgres")


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of `kind`; PostgreSQL's is made on the test server."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'ledger.db'}"
        return
    server = os.environ.get("BEHOLDEN_TEST_POSTGRES")
    if not server:
        pytest.skip("BEHOLDEN_TEST_POSTGRES names no server (postgresql://USER@HOST:PORT)")
    url = make_url(server).set(drivername="postgresql+psycopg", database="postgres")
    name = f"beholden_test_{uuid.uuid4().hex}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        try:
            yield url.set(database=name).render_as_string(hide_password=False)
        finally:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@asynccontextmanager
async def opened(url: str, **settings: float) -> AsyncIterator[Ledger]:
    """The ledger at `url`, closed afterwards."""
    ledger = await open_ledger(url, LedgerSettings.model_validate(settings))
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
