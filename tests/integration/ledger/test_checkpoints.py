"""Checkpoints: when they are signed, and what somebody who rewrites whole chains cannot rewrite."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from beholden.core.errors import FailedPrecondition
from beholden.core.record import Verification
from beholden.ledger.archive import open_archive
from beholden.ledger.chain import entry_hash
from beholden.ledger.database import connect
from beholden.ledger.keys import TrustedKeys, open_signer, read_public
from beholden.ledger.sealing import newest_checkpoint, read_checkpoint, seal, write_checkpoint
from beholden.ledger.tables import to_entry
from tests.contract.ledgers import key_file, ledger_settings, opened, record
from tests.integration.ledger.test_durability import CHILD, child
from tests.integration.ledger.test_tampering import Tamperer, delete, tamper, verify, write

SPAN, EACH = 4, 12


def nothing(read: int, total: int) -> None:
    """No progress is shown."""


def audit(url: str, *keys: Path, known: Mapping[int, str] | None = None) -> Verification:
    """Verifies from outside the server, with those keys alone."""
    with open_archive(url, ledger_settings(url)) as archive:
        return archive.verify(TrustedKeys(read_public(keys or [key_file(url)])), nothing, known)


async def write_spans(url: str, writers: int = 2) -> None:
    """Chains of EACH entries, a checkpoint after each SPAN of them."""
    for _ in range(writers):
        async with opened(url) as ledger:
            for number in range(EACH):
                await ledger.append(record())
                if number % SPAN == SPAN - 1:
                    reseal(url)


def reseal(url: str) -> None:
    database = connect(url, ledger_settings(url))
    seal(database, open_signer(key_file(url)))
    database.writing.dispose()


async def test_signed_after_so_many_records(ledger_url: str) -> None:
    async with opened(ledger_url, checkpoint_records=10) as ledger:
        await asyncio.gather(*(ledger.append(record()) for _ in range(25)))
        async with asyncio.timeout(60):
            while (await ledger.verify()).covered < 10:
                await asyncio.sleep(0.01)
    found = audit(ledger_url)
    assert (found.entries, found.covered, found.breaches) == (25, 25, ())


async def test_signed_after_a_while(ledger_url: str) -> None:
    async with opened(ledger_url, checkpoint_seconds=0.05) as ledger:
        await ledger.append(record())
        async with asyncio.timeout(60):
            while (await ledger.verify()).covered < 1:
                await asyncio.sleep(0.01)


async def test_signed_at_the_end_and_only_for_something_new(ledger_url: str) -> None:
    await write(ledger_url)
    assert (await verify(ledger_url)).checkpoints == 3
    async with opened(ledger_url) as ledger:
        assert (await ledger.verify()).checkpoints == 3
    found = audit(ledger_url)
    assert (found.checkpoints, found.covered, found.entries) == (3, 18, 18)


async def test_one_signs_for_all_chains(ledger_url: str) -> None:
    with child(CHILD, "append_for_ever", ledger_url) as process:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        process.kill()
        process.wait()
    assert audit(ledger_url).covered == 0
    async with opened(ledger_url) as ledger:
        await ledger.append(record())
    found = audit(ledger_url)
    assert found.holds
    assert found.covered == found.entries > 20


async def test_several_sign_beside_each_other(ledger_url: str) -> None:
    async with (
        opened(ledger_url, checkpoint_records=5) as a,
        opened(ledger_url, checkpoint_records=5) as b,
        opened(ledger_url, checkpoint_records=5) as c,
    ):
        await asyncio.gather(*(one.append(record()) for _ in range(40) for one in (a, b, c)))
    found = audit(ledger_url)
    assert (found.entries, found.covered, found.breaches) == (120, 120, ())
    assert found.checkpoints > 1


def rewrite(url: str, which: int, first: int, principal: str, last: int = EACH) -> None:
    """Changes an entry and recomputes every hash from there to the end, the head included."""

    def act(db: Tamperer) -> None:
        changed = db.run(
            "UPDATE ledger_entries SET principal = :p WHERE writer = :w AND sequence = :s",
            p=principal,
            w=db.names[which],
            s=first,
        )
        assert changed == 1
        repair(db, which, first, last)

    tamper(url, act)


def repair(db: Tamperer, which: int, first: int, last: int) -> None:
    """Makes the hashes of a chain right again from an entry on."""
    name = db.names[which]
    entry = "SELECT * FROM ledger_entries WHERE writer = :w AND sequence = :s"
    previous = db.scalar(f"SELECT previous FROM ({entry}) AS e", w=name, s=first)
    for sequence in range(first, last + 1):
        row = db.row(entry, w=name, s=sequence)
        fixed = replace(to_entry(row, {}).record, allowed=bool(row.allowed))
        digest = entry_hash(str(previous), fixed, row.body)
        db.run(
            "UPDATE ledger_entries SET previous = :p, hash = :h WHERE writer = :w AND sequence = :s",
            p=previous,
            h=digest,
            w=name,
            s=sequence,
        )
        previous = digest
    db.run(
        "UPDATE ledger_writers SET sequence = :s, head = :h WHERE id = :w",
        s=last,
        h=previous,
        w=name,
    )


async def test_a_chain_rewritten_to_its_end(ledger_url: str) -> None:
    await write_spans(ledger_url)
    rewrite(ledger_url, 1, 6, "somebody else")
    breaches = audit(ledger_url).breaches
    assert [breach.sequence for breach in breaches] == [8, 12], breaches
    assert "is not what checkpoint 5 signed" in breaches[0].problem


async def test_the_newest_tail_cut_with_its_head(ledger_url: str) -> None:
    await write_spans(ledger_url)

    def act(db: Tamperer) -> None:
        delete(1, 11, 12)(db)
        repair(db, 1, 10, 10)

    tamper(ledger_url, act)
    (breach,) = audit(ledger_url).breaches
    assert (breach.sequence, breach.problem) == (11, "is missing, as are all to 12")


async def test_the_newest_writer_removed_with_all_it_wrote(ledger_url: str) -> None:
    await write_spans(ledger_url)

    def act(db: Tamperer) -> None:
        delete(1, 1, EACH)(db)
        db.run("DELETE FROM ledger_writers WHERE id = :w", w=db.names[1])

    tamper(ledger_url, act)
    assert [breach.problem for breach in audit(ledger_url).breaches] == [
        "writers 2 to 2 are missing"
    ]


EDITS = {
    "ledger_checkpoints": {
        "ordinal": "ordinal + 70",
        "previous": "link",
        "time_ns": "time_ns + 1",
        "entries": "entries + 1",
        "writers": "writers + 1",
        "link": "previous",
        "dropped": "1",
        "key": "previous",
        "signature": "'00'",
    },
    "ledger_spans": {
        "writer": "'stranger'",
        "checkpoint": "checkpoint + 70",
        "first": "first + 1",
        "last": "last - 1",
        "head": "root",
        "root": "head",
    },
}


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in EDITS.items() for column in columns]
)
async def test_an_edited_checkpoint(ledger_url: str, table: str, column: str) -> None:
    await write_spans(ledger_url, writers=1)
    where = "ordinal" if table == "ledger_checkpoints" else "checkpoint"
    statement = f"UPDATE {table} SET {column} = {EDITS[table][column]} WHERE {where} = 2"
    tamper(ledger_url, lambda db: db.run(statement))
    found = audit(ledger_url)
    assert any("checkpoint" in breach.problem for breach in found.breaches), found


@pytest.mark.parametrize("number", [1, 2])
async def test_a_checkpoint_taken_out(ledger_url: str, number: int) -> None:
    await write_spans(ledger_url, writers=1)

    def act(db: Tamperer) -> None:
        db.run("DELETE FROM ledger_checkpoints WHERE ordinal = :n", n=number)
        db.run("DELETE FROM ledger_spans WHERE checkpoint = :n", n=number)

    tamper(ledger_url, act)
    problems = [breach.problem for breach in audit(ledger_url).breaches]
    assert f"checkpoint {number} is missing" in problems


async def test_checkpoints_that_change_places(ledger_url: str) -> None:
    await write_spans(ledger_url, writers=1)

    def act(db: Tamperer) -> None:
        for before, after in ((2, 99), (3, 2), (99, 3)):
            db.run(
                "UPDATE ledger_checkpoints SET ordinal = :a WHERE ordinal = :b", a=after, b=before
            )
            db.run(
                "UPDATE ledger_spans SET checkpoint = :a WHERE checkpoint = :b", a=after, b=before
            )

    tamper(ledger_url, act)
    assert {breach.sequence for breach in audit(ledger_url).breaches} >= {2, 3}


async def test_checkpoints_forged_with_another_key(ledger_url: str, tmp_path: Path) -> None:
    """The whole ledger is written anew by somebody who has every table and no key."""
    await write_spans(ledger_url)
    forger = open_signer(tmp_path / "forger.key")
    tamper(
        ledger_url, lambda db: [db.run(f"DELETE FROM ledger_{t}") for t in ("checkpoints", "spans")]
    )
    rewrite(ledger_url, 1, 6, "somebody else")
    database = connect(ledger_url, ledger_settings(ledger_url))
    seal(database, forger)
    database.writing.dispose()
    (breach,) = audit(ledger_url).breaches
    assert (
        breach.problem == f"checkpoint 1 is signed with a key that is not trusted here: {forger.id}"
    )
    assert audit(ledger_url, tmp_path / "forger.key").holds, "to the forger's friends only"


async def test_a_forger_who_names_the_right_key(ledger_url: str, tmp_path: Path) -> None:
    await write_spans(ledger_url, writers=1)
    database = connect(ledger_url, ledger_settings(ledger_url))
    async with opened(ledger_url) as ledger:
        await ledger.append(record())
        made = seal(database, open_signer(tmp_path / "forger.key"))
    database.writing.dispose()
    assert made is not None
    ours = open_signer(key_file(ledger_url)).id
    tamper(
        ledger_url,
        lambda db: db.run(
            "UPDATE ledger_checkpoints SET key = :k WHERE ordinal = :n", k=ours, n=made.ordinal
        ),
    )
    (breach,) = audit(ledger_url).breaches
    assert "forged" in breach.problem


async def test_a_wrong_key(ledger_url: str, tmp_path: Path) -> None:
    await write_spans(ledger_url, writers=1)
    open_signer(tmp_path / "other.key")
    found = audit(ledger_url, tmp_path / "other.key")
    assert [breach.sequence for breach in found.breaches] == [1, 2, 3]


async def test_a_key_that_was_changed_is_still_believed(ledger_url: str, tmp_path: Path) -> None:
    await write(ledger_url)
    old = tmp_path / "old.pem"
    shutil.move(key_file(ledger_url), old)
    await write(ledger_url)
    assert not (await verify(ledger_url)).holds
    async with opened(ledger_url, trusted_keys=[old]) as ledger:
        assert (await ledger.verify()).holds


async def test_rolled_back_behind_what_somebody_remembers(ledger_url: str) -> None:
    """All that a checkpoint covers is taken away with it, which only a witness outside can show."""
    await write_spans(ledger_url)
    found = audit(ledger_url)
    known = {found.checkpoints: found.checkpoint}
    assert audit(ledger_url, known=known).holds

    def act(db: Tamperer) -> None:
        delete(1, 9, 12)(db)
        repair(db, 1, 8, 8)
        db.run("DELETE FROM ledger_checkpoints WHERE ordinal = 6")
        db.run("DELETE FROM ledger_spans WHERE checkpoint = 6")

    tamper(ledger_url, act)
    assert audit(ledger_url).holds
    assert [b.problem for b in audit(ledger_url, known=known).breaches] == [
        "checkpoint 6, which was known, is missing"
    ]
    assert not audit(ledger_url, known={5: "0" * 64}).holds


async def test_a_breach_is_not_signed_over(
    ledger_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(ledger_url) as ledger:
        for _ in range(6):
            await ledger.append(record())
        tamper(ledger_url, delete(0, 3, 3))
    assert "could not be signed" in caplog.text
    found = audit(ledger_url)
    assert (found.checkpoints, [breach.sequence for breach in found.breaches]) == (0, [3])


async def test_a_checkpoint_taken_away_while_it_runs_is_missed(
    ledger_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(ledger_url, checkpoint_records=1) as ledger:
        await ledger.append(record())
        async with asyncio.timeout(60):
            while not (await ledger.verify()).checkpoints:
                await asyncio.sleep(0.01)
        tamper(
            ledger_url,
            lambda db: [db.run(f"DELETE FROM ledger_{t}") for t in ("checkpoints", "spans")],
        )
        await ledger.append(record())
    assert "checkpoint 1 is gone" in caplog.text
    assert audit(ledger_url).checkpoints == 0


async def test_a_number_is_signed_once(ledger_url: str) -> None:
    """Two processes state the same number at once: one of them keeps it."""
    await write_spans(ledger_url, writers=1)
    database = connect(ledger_url, ledger_settings(ledger_url))
    with database.reading.connect() as connection:
        newest = newest_checkpoint(connection)
        assert newest is not None
        assert read_checkpoint(connection, newest.ordinal) == newest
    with pytest.raises(Exception, match=r"(?i)unique"), database.writing.begin() as connection:
        write_checkpoint(connection, newest)
    database.writing.dispose()
    assert audit(ledger_url).holds


async def test_a_key_that_cannot_be_used_opens_no_ledger(ledger_url: str, tmp_path: Path) -> None:
    odd = tmp_path / "odd.key"
    odd.write_text("no key")
    with pytest.raises(FailedPrecondition, match="Ed25519"):
        async with opened(ledger_url, key_file=odd):
            pass
