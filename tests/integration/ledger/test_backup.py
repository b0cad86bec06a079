"""A ledger in SQLite is copied whole while it is written to, and goes on from the copy."""

import asyncio
import shutil
import stat
from pathlib import Path

import pytest

from beholden.core.errors import FailedPrecondition
from beholden.ledger.backup import backup
from tests.contract.ledgers import key_file, opened, record
from tests.integration.ledger.test_checkpoints import audit


async def test_a_copy_holds_all_that_was_acknowledged_and_is_gone_on_from(tmp_path: Path) -> None:
    url, out = f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path / "copy.db"
    acknowledged = 0

    async def write() -> None:
        nonlocal acknowledged
        while True:
            await asyncio.gather(*(ledger.append(record()) for _ in range(8)))
            acknowledged += 8

    async with opened(url) as ledger:
        writing = asyncio.create_task(write())
        while acknowledged < 40:
            await asyncio.sleep(0.005)
        before = acknowledged
        await asyncio.to_thread(backup, url, out)
        after = acknowledged
        while acknowledged == after:
            await asyncio.sleep(0.005)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    copied = f"sqlite:///{out}"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.glob("*copy*")] == ["copy.db"], "a file by itself"
    shutil.copy(key_file(url), key_file(copied))
    found = audit(copied)
    assert found.breaches == ()
    assert found.entries >= before
    async with opened(copied) as ledger:
        await ledger.append(record())
    again = audit(copied)
    assert (again.entries, again.breaches) == (found.entries + 1, ())


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://beholden@db/ledger", "only a ledger in SQLite"),
        ("sqlite:///nowhere.db", "there is no ledger at nowhere.db"),
        ("somewhere", "is no ledger's URL"),
    ],
)
def test_what_cannot_be_copied_is_said_and_nothing_is_left(
    url: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(FailedPrecondition, match=said):
        backup(url, tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    there = tmp_path / "copy.db"
    there.write_text("older")
    with pytest.raises(FailedPrecondition, match="there already"):
        backup(f"sqlite:///{there}", there)
    assert there.read_text() == "older"
