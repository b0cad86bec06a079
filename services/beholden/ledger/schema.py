"""The tables brought up to date: a new ledger's are made at once, an older one's are migrated."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table, text

from beholden.core.errors import FailedPrecondition
from beholden.ledger.job_tables import JOBS

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x42484C44
# Asked of the jobs' tables, which are added to the records': a table that nobody imports is not made.
_METADATA = JOBS.metadata
_VERSION = table("alembic_version", column("version_num"))


def known() -> list[str]:
    """The revisions that this version knows, oldest first: the files are named after them."""
    return sorted(path.stem[1:5] for path in (MIGRATIONS / "versions").glob("v????_*.py"))


def current(connection: Connection) -> bool:
    """Whether the tables are those of the code.

    Raises FailedPrecondition for a ledger that a newer Beholden wrote.
    """
    return _found(connection) == known()[-1]


def bring_up_to_date(connection: Connection) -> None:
    """Makes or migrates the tables in a transaction that writes, whoever else does so at the same time."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    found = _found(connection)
    if found is None:
        _METADATA.create_all(connection)
        connection.execute(
            text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)")
        )
        connection.execute(_VERSION.insert().values(version_num=known()[-1]))
    elif found != known()[-1]:
        migrate(connection)


def migrate(connection: Connection, to: str = "head") -> None:
    """Takes the tables from the revision that they have, if any, to a later one."""
    # A third of a second, which only an older ledger has to wait for.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _found(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION.name):
        return None
    found = connection.execute(select(_VERSION.c.version_num)).scalar()
    if found is not None and found not in known():
        raise FailedPrecondition(
            f"the ledger has schema {found}, which this version does not know",
            remedy="use the newer version of Beholden that wrote it",
        )
    return None if found is None else str(found)
