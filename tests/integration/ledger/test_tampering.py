"""Somebody with write access to the database changes the ledger: verification names the place."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, Row, create_engine, text

from beholden.core.errors import FailedPrecondition
from beholden.core.record import Verification
from tests.contract.ledgers import opened, record

WRITERS, EACH = 3, 6


@dataclass(frozen=True)
class Tamperer:
    """Direct access to the tables; `names` are the writers' ids by age."""

    connection: Connection
    names: list[str]

    def run(self, statement: str, **values: object) -> int:
        return self.connection.execute(text(statement), values).rowcount

    def row(self, statement: str, **values: object) -> Row[Any]:
        return self.connection.execute(text(statement), values).one()

    def scalar(self, statement: str, **values: object) -> object:
        return self.connection.execute(text(statement), values).scalar()


async def write(url: str) -> None:
    for _ in range(WRITERS):
        async with opened(url) as ledger:
            for number in range(EACH):
                await ledger.append(record(allowed=number % 2 == 0))


async def verify(url: str) -> Verification:
    async with opened(url) as ledger:
        return await ledger.verify()


def tamper(url: str, act: Callable[[Tamperer], object]) -> None:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        names = connection.execute(text("SELECT id FROM ledger_writers ORDER BY ordinal"))
        act(Tamperer(connection, [row.id for row in names]))
    engine.dispose()


def edit_entry(column: str, value: str) -> Callable[[Tamperer], None]:
    def act(db: Tamperer) -> None:
        changed = db.run(
            f"UPDATE ledger_entries SET {column} = {value} WHERE writer = :w AND sequence = 3",
            w=db.names[1],
        )
        assert changed == 1

    return act


ENTRY_EDITS = {
    "writer": "'stranger'",
    "sequence": "99",
    "id": "'other'",
    "kind": "'outcome'",
    "time_ns": "time_ns + 1",
    "tenant": "tenant || ' '",
    "principal": "''",
    "action": "'face.detect'",
    "allowed": "NOT allowed",
    "body": "replace(body, 'editorial', 'editorial ')",
    "previous": "hash",
    "hash": "previous",
}


@pytest.mark.parametrize("column", ENTRY_EDITS)
async def test_an_edited_entry(ledger_url: str, column: str) -> None:
    await write(ledger_url)
    assert (await verify(ledger_url)).holds
    tamper(ledger_url, edit_entry(column, ENTRY_EDITS[column]))
    found = await verify(ledger_url)
    assert any(breach.sequence in (3, 4) for breach in found.breaches), found.breaches
    assert len(found.breaches) <= 3, "one edit is told where it is, not to the end of the chain"


@pytest.mark.parametrize("spaced", ["body || ' '", "replace(body, ':', ': ')", "'{'", "'7'"])
async def test_a_body_in_other_words(ledger_url: str, spaced: str) -> None:
    await write(ledger_url)
    tamper(ledger_url, edit_entry("body", spaced))
    (breach,) = (await verify(ledger_url)).breaches
    assert (breach.sequence, breach.problem) == (3, "was changed after it was written")


WRITER_EDITS = {
    "ordinal": "70",
    "id": "'stranger'",
    "started_ns": "started_ns - 1",
    "witnessed_sequence": "witnessed_sequence - 1",
    "witnessed_hash": "link",
    "link": "head",
    "sequence": "sequence + 1",
    "head": "link",
}


@pytest.mark.parametrize("column", WRITER_EDITS)
async def test_an_edited_writer(ledger_url: str, column: str) -> None:
    await write(ledger_url)

    def act(db: Tamperer) -> None:
        statement = f"UPDATE ledger_writers SET {column} = {WRITER_EDITS[column]} WHERE id = :w"
        assert db.run(statement, w=db.names[1]) == 1

    tamper(ledger_url, act)
    assert not (await verify(ledger_url)).holds


def delete(which: int, first: int, last: int) -> Callable[[Tamperer], None]:
    def act(db: Tamperer) -> None:
        statement = "DELETE FROM ledger_entries WHERE writer = :w AND sequence BETWEEN :a AND :b"
        assert db.run(statement, w=db.names[which], a=first, b=last) == last - first + 1

    return act


@pytest.mark.parametrize(("first", "last"), [(1, 1), (3, 3), (2, 5), (6, 6), (4, 6), (1, 6)])
async def test_deleted_entries(ledger_url: str, first: int, last: int) -> None:
    await write(ledger_url)
    tamper(ledger_url, delete(2, first, last))
    breaches = (await verify(ledger_url)).breaches
    assert breaches[0].sequence == first
    assert "missing" in breaches[0].problem


def cut_tail(which: int) -> Callable[[Tamperer], None]:
    """Takes the last two entries away, and sets the head back so that it fits."""

    def act(db: Tamperer) -> None:
        delete(which, 5, 6)(db)
        hash_4 = db.scalar(
            "SELECT hash FROM ledger_entries WHERE writer = :w AND sequence = 4", w=db.names[which]
        )
        statement = "UPDATE ledger_writers SET sequence = 4, head = :h WHERE id = :w"
        db.run(statement, h=hash_4, w=db.names[which])

    return act


@pytest.mark.parametrize("which", [0, 1])
async def test_a_tail_cut_with_its_head_contradicts_the_next_writer(
    ledger_url: str, which: int
) -> None:
    await write(ledger_url)
    tamper(ledger_url, cut_tail(which))
    (breach,) = (await verify(ledger_url)).breaches
    assert (breach.sequence, breach.problem) == (5, "is missing, as are all to 6")


async def test_swapped_entries(ledger_url: str) -> None:
    await write(ledger_url)

    def act(db: Tamperer) -> None:
        for before, after in ((2, -1), (3, 2), (-1, 3)):
            db.run(
                "UPDATE ledger_entries SET sequence = :b WHERE writer = :w AND sequence = :a",
                a=before,
                b=after,
                w=db.names[0],
            )

    tamper(ledger_url, act)
    assert {breach.sequence for breach in (await verify(ledger_url)).breaches} == {2, 3, 4}


async def test_a_copied_entry(ledger_url: str) -> None:
    await write(ledger_url)

    def act(db: Tamperer) -> None:
        columns = "id, kind, time_ns, tenant, principal, action, allowed, body, previous, hash"
        db.run(
            f"INSERT INTO ledger_entries (writer, sequence, {columns})"
            f" SELECT writer, 7, {columns} FROM ledger_entries WHERE writer = :w AND sequence = 6",
            w=db.names[2],
        )

    tamper(ledger_url, act)
    assert {breach.sequence for breach in (await verify(ledger_url)).breaches} == {6, 7}


async def test_chains_that_change_names(ledger_url: str) -> None:
    await write(ledger_url)

    def act(db: Tamperer) -> None:
        for before, after in ((0, "x"), (1, db.names[0]), ("x", db.names[1])):
            for table, column in (("ledger_entries", "writer"), ("ledger_writers", "id")):
                db.run(
                    f"UPDATE {table} SET {column} = :b WHERE {column} = :a",
                    a=db.names[before] if isinstance(before, int) else before,
                    b=after,
                )

    tamper(ledger_url, act)
    assert not (await verify(ledger_url)).holds


@pytest.mark.parametrize("which", [0, 1])
async def test_a_writer_removed_with_all_it_wrote(ledger_url: str, which: int) -> None:
    await write(ledger_url)

    def act(db: Tamperer) -> None:
        delete(which, 1, EACH)(db)
        db.run("DELETE FROM ledger_writers WHERE id = :w", w=db.names[which])

    tamper(ledger_url, act)
    (breach, *_) = (await verify(ledger_url)).breaches
    assert breach.problem == f"writers {which + 1} to {which + 1} are missing"


async def test_breaches_are_bounded(ledger_url: str) -> None:
    async with opened(ledger_url) as ledger:
        for _ in range(130):
            await ledger.append(record())
    tamper(ledger_url, lambda db: db.run("UPDATE ledger_entries SET principal = 'nobody'"))
    found = await verify(ledger_url)
    assert found.entries == 130
    assert len(found.breaches) == 101
    assert "more" in found.breaches[-1].problem


async def test_a_damaged_entry_is_not_shown_as_if_it_were_whole(ledger_url: str) -> None:
    await write(ledger_url)
    tamper(ledger_url, edit_entry("body", "'{'"))
    async with opened(ledger_url) as ledger:
        with pytest.raises(FailedPrecondition, match="ledger verify"):
            await ledger.list("news", page_size=100)
