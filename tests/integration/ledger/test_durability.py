"""What was acknowledged stays: processes are killed, disks fill up, databases are locked."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from beholden.core.errors import FailedPrecondition, Unavailable
from beholden.core.record import Verification
from beholden.ledger.open import open_ledger
from beholden.ledger.settings import LedgerSettings
from tests.contract.children import child, kill_and_read
from tests.contract.ledgers import database, opened, record

CHILD = "tests.integration.ledger.child"


async def check(url: str, acknowledged: list[str]) -> Verification:
    """Every acknowledged record is there, and the chain holds."""
    async with opened(url) as ledger:
        for decision in acknowledged:
            assert len(await ledger.get("news", decision)) == 1, decision
        found = await ledger.verify()
        assert found.breaches == ()
        assert found.entries >= len(acknowledged)
        return found


@pytest.mark.thorough
async def test_kill_9_loses_nothing_acknowledged(ledger_url: str) -> None:
    acknowledged: list[str] = []
    for after in (1, 40, 200):
        with child(CHILD, "append_for_ever", ledger_url) as process:
            assert process.stdout is not None
            acknowledged += [process.stdout.readline().strip() for _ in range(after)]
            acknowledged += [line.strip() for line in kill_and_read(process)]
        found = await check(ledger_url, acknowledged)
        assert "" not in acknowledged
    assert found.writers == 3


async def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with child(CHILD, "run_out_of_space", url) as process:
        out, problem = process.communicate(timeout=60)
    assert process.returncode == 0, problem
    assert "refused: ledger: " in problem
    assert "filler" not in problem
    found = await check(url, out.split())
    assert found.writers == 2, "after a failure that may have committed, the chain begins anew"


async def test_a_locked_database_refuses_and_recovers(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    async with opened(url, timeout=0.4) as ledger:
        before = await ledger.append(record())
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        results = await asyncio.gather(
            *(ledger.append(record()) for _ in range(3)), return_exceptions=True
        )
        assert [type(result) for result in results] == [Unavailable] * 3
        assert not await ledger.ready()
        assert await ledger.get("news", before.record.id) == (before,), "reading goes on"
        other.execute("ROLLBACK")
        other.close()
        after = await ledger.append(record())
        assert await ledger.ready()
    await check(url, [before.record.id, after.record.id])


@pytest.fixture
def postgres_url(tmp_path: Path) -> Iterator[str]:
    with database("postgres", tmp_path) as url:
        yield url


async def test_a_lost_server_refuses_and_recovers(postgres_url: str) -> None:
    async with opened(postgres_url) as ledger:
        before = await ledger.append(record())
        admin = create_engine(make_url(postgres_url).set(database="postgres"))
        name = make_url(postgres_url).database
        gate = "ALTER DATABASE {} ALLOW_CONNECTIONS {}"
        with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(gate.format(name, "false")))
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :n"),
                {"n": name},
            )
            with pytest.raises(Unavailable):
                await ledger.append(record())
            assert not await ledger.ready()
            connection.execute(text(gate.format(name, "true")))
        admin.dispose()
        after = await ledger.append(record())
    await check(postgres_url, [before.record.id, after.record.id])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ledger.db",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://host/ledger",
        "sqlite+aiosqlite:///x",
    ],
)
async def test_refuses_what_keeps_no_ledger(url: str) -> None:
    with pytest.raises(FailedPrecondition, match="sqlite:///PATH"):
        await open_ledger(url, LedgerSettings())


async def test_an_unreachable_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for url in (
        f"sqlite:///{tmp_path / 'file' / 'ledger.db'}",
        f"sqlite:///{tmp_path}",
        "postgresql://beholden:secret@127.0.0.1:1/ledger",
    ):
        with pytest.raises(Unavailable) as caught:
            await open_ledger(url, LedgerSettings(timeout=1))
        assert "secret" not in str(caught.value)


async def test_no_ledger_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is no database, however long it may be" * 100)
    with pytest.raises(Unavailable):
        await open_ledger(f"sqlite:///{path}", LedgerSettings())


async def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ledger.db"
    async with opened(f"sqlite:///{path}") as ledger:
        await ledger.append(record())
        modes = {file.name: file.stat().st_mode & 0o077 for file in path.parent.iterdir()}
    assert set(modes.values()) == {0}, modes
