"""The schema in the database is the one in the code, whoever opens it first."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, create_engine, inspect, make_url, text

from beholden.core.errors import FailedPrecondition
from beholden.ledger.open import open_ledger
from beholden.ledger.schema import MIGRATIONS, bring_up_to_date, current, known, migrate
from beholden.ledger.settings import LedgerSettings
from beholden.ledger.tables import METADATA
from tests.contract.children import child
from tests.contract.ledgers import DATABASES, database, opened
from tests.integration.ledger.test_durability import CHILD, check


@pytest.fixture(params=DATABASES)
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables."""
    with database(request.param, tmp_path, migrated=False) as url:
        yield url


def engine(url: str):
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed)


@pytest.mark.parametrize("make", [migrate, bring_up_to_date], ids=["migrated", "made at once"])
def test_the_tables_are_those_of_the_code(
    ledger_url: str, make: Callable[[Connection], None]
) -> None:
    with engine(ledger_url).begin() as connection:
        make(connection)
        assert current(connection)
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        again = inspect(connection).get_table_names()
        bring_up_to_date(connection)
        assert inspect(connection).get_table_names() == again


def test_an_older_ledger_is_migrated(ledger_url: str) -> None:
    with engine(ledger_url).begin() as connection:
        migrate(connection, "0001")
        assert not current(connection)
        bring_up_to_date(connection)
        assert current(connection)
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_jobs_of_an_older_ledger_are_kept(ledger_url: str) -> None:
    with engine(ledger_url).begin() as connection:
        migrate(connection, "0005")
        old = reflected(connection)
        values = {
            column.name: b"" if column.type.python_type is bytes else column.type.python_type(0)
            for column in old.columns
        }
        connection.execute(old.insert().values(values))
        bring_up_to_date(connection)
        assert connection.execute(text("SELECT delete_ns FROM jobs")).all() == [(0,)]


def reflected(connection: Connection) -> Table:
    """The table of jobs as it lies in the database."""
    return Table("jobs", MetaData(), autoload_with=connection)


_MAKE = """
import sys
from sqlalchemy import create_engine
from beholden.ledger import schema
with create_engine(sys.argv[1]).begin() as connection:
    getattr(schema, sys.argv[2])(connection)
"""


@pytest.mark.thorough
def test_a_process_that_knows_nothing_else_makes_every_table(tmp_path: Path) -> None:
    """Here every module of tables is long imported; the command line may open a ledger without the jobs."""
    tables = []
    for make in ("migrate", "bring_up_to_date"):
        url = f"sqlite:///{tmp_path / make}.db"
        subprocess.run([sys.executable, "-c", _MAKE, url, make], check=True, timeout=60)
        tables.append(set(inspect(engine(url)).get_table_names()))
    assert tables[0] == tables[1]


def test_revisions_are_known_by_their_files() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))
    assert known() == [script.revision for script in scripts.walk_revisions()][::-1]


async def test_a_newer_schema_is_refused(ledger_url: str) -> None:
    async with opened(ledger_url):
        pass
    with engine(ledger_url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(FailedPrecondition, match="newer version of Beholden"):
        await open_ledger(ledger_url, LedgerSettings())


@pytest.mark.thorough
async def test_many_processes_open_a_new_ledger_at_once(ledger_url: str) -> None:
    with ExitStack() as stack:
        processes = [stack.enter_context(child(CHILD, "join", ledger_url)) for _ in range(4)]
        told = [process.communicate(timeout=90) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, told
    found = await check(ledger_url, [out.strip() for out, _ in told])
    assert (found.entries, found.writers) == (4, 4)
