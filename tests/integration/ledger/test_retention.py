"""What remains after old entries were dropped can still be verified, and nobody else can drop any."""

import asyncio
import time
from pathlib import Path

import pytest

from beholden.core.errors import FailedPrecondition
from beholden.ledger.archive import open_archive
from beholden.ledger.keys import TrustedKeys, open_signer, read_public, read_signer
from beholden.ledger.proof import check_proof
from beholden.ledger.sealing import read_checkpoint
from tests.contract.ledgers import key_file, ledger_settings, opened, record
from tests.integration.ledger.test_checkpoints import EACH, audit, nothing, repair, write_spans
from tests.integration.ledger.test_export import FORMATS, check, export
from tests.integration.ledger.test_tampering import Tamperer, delete, edit_entry, tamper


def prune(url: str, before_ns: int | None = None) -> int:
    """Drops what checkpoints cover that were signed before a moment; without one, all of them."""
    with open_archive(url, ledger_settings(url)) as archive:
        signer = read_signer(key_file(url))
        moment = time.time_ns() if before_ns is None else before_ns
        return archive.prune(signer, TrustedKeys([signer.public]), moment, nothing)[1]


def signed_at(url: str, ordinal: int) -> int:
    with open_archive(url, ledger_settings(url)) as archive:
        checkpoint = archive._read(lambda connection: read_checkpoint(connection, ordinal))
    assert checkpoint is not None
    return checkpoint.time_ns


async def test_what_remains_holds(ledger_url: str) -> None:
    """Two chains, a checkpoint each 4 entries: up to the 5th is the first chain and 8 of the second."""
    await write_spans(ledger_url)
    assert prune(ledger_url, signed_at(ledger_url, 5) + 1) == EACH + 8
    found = audit(ledger_url)
    assert (found.breaches, found.entries, found.checkpoints) == ((), 4, 7)
    assert found.covered == 2 * EACH
    assert prune(ledger_url, signed_at(ledger_url, 5) + 1) == 0
    assert audit(ledger_url) == found
    async with opened(ledger_url) as ledger:
        await ledger.append(record())
        assert (await ledger.verify()).holds
    found = audit(ledger_url)
    assert (found.breaches, found.entries, found.covered) == ((), 5, 25)


async def test_everything_may_go(ledger_url: str) -> None:
    await write_spans(ledger_url)
    assert prune(ledger_url) == 2 * EACH
    found = audit(ledger_url)
    assert (found.breaches, found.entries, found.writers) == ((), 0, 2)
    await write_spans(ledger_url)
    assert prune(ledger_url) == 2 * EACH
    assert audit(ledger_url).holds


async def test_nothing_is_old_enough(ledger_url: str) -> None:
    await write_spans(ledger_url)
    before = audit(ledger_url)
    assert prune(ledger_url, signed_at(ledger_url, 1)) == 0
    assert audit(ledger_url) == before


async def test_what_no_checkpoint_covers_stays(ledger_url: str) -> None:
    async with opened(ledger_url) as ledger:
        await ledger.append(record())
        assert prune(ledger_url) == 0
        assert (await ledger.verify()).entries == 1


async def test_a_proof_outlives_its_record(ledger_url: str) -> None:
    await write_spans(ledger_url)
    keys = TrustedKeys(read_public([key_file(ledger_url)]))
    with open_archive(ledger_url, ledger_settings(ledger_url)) as archive:
        newest = archive.list("news", page_size=1).items[0].record.id
        (proof,) = archive.prove(newest)
    prune(ledger_url)
    assert check_proof(proof, keys) == ()


async def test_while_it_is_written(ledger_url: str) -> None:
    await write_spans(ledger_url)
    async with opened(ledger_url, checkpoint_records=5) as ledger:

        async def append() -> None:
            for _ in range(30):
                await ledger.append(record())

        writing = asyncio.gather(append(), append())
        dropped = await asyncio.to_thread(prune, ledger_url)
        await writing
    found = audit(ledger_url)
    assert found.breaches == ()
    assert dropped >= 2 * EACH
    assert found.entries == 2 * EACH + 60 - dropped


async def test_an_interrupted_removal_holds_and_is_completed(ledger_url: str) -> None:
    await write_spans(ledger_url)

    def keep_some(db: Tamperer) -> None:
        for which, name in enumerate(db.names):
            db.run(
                "CREATE TABLE kept AS SELECT * FROM ledger_entries WHERE sequence > 5 AND writer = :w"
                if not which
                else "INSERT INTO kept SELECT * FROM ledger_entries WHERE sequence > 5 AND writer = :w",
                w=name,
            )

    tamper(ledger_url, keep_some)
    assert prune(ledger_url) == 2 * EACH
    tamper(ledger_url, lambda db: db.run("INSERT INTO ledger_entries SELECT * FROM kept"))
    found = audit(ledger_url)
    assert (found.breaches, found.entries) == ((), 14)
    tamper(
        ledger_url, lambda db: db.run("UPDATE ledger_entries SET principal='x' WHERE sequence=7")
    )
    assert not audit(ledger_url).holds, "what is left over is not left unwatched"
    tamper(ledger_url, lambda db: db.run("UPDATE ledger_entries SET principal='alice@news'"))
    assert prune(ledger_url) == 14
    assert (audit(ledger_url).breaches, audit(ledger_url).entries) == ((), 0)


async def test_dropping_one_more_shows(ledger_url: str) -> None:
    await write_spans(ledger_url)
    prune(ledger_url, signed_at(ledger_url, 5) + 1)
    tamper(ledger_url, delete(1, 9, 9))
    (breach,) = audit(ledger_url).breaches
    assert (breach.sequence, breach.problem) == (9, "is missing")


async def test_dropping_without_the_key_shows(ledger_url: str, tmp_path: Path) -> None:
    await write_spans(ledger_url)

    def claim(db: Tamperer) -> None:
        db.run("UPDATE ledger_checkpoints SET dropped = 5 WHERE ordinal = 6")
        delete(0, 1, EACH)(db)
        delete(1, 1, 8)(db)

    tamper(ledger_url, claim)
    assert [b.problem for b in audit(ledger_url).breaches] == [
        "checkpoint 6 was changed after it was signed, or is forged"
    ]
    stranger = open_signer(tmp_path / "stranger.key")
    with (
        open_archive(ledger_url, ledger_settings(ledger_url)) as archive,
        pytest.raises(FailedPrecondition, match="does not hold"),
    ):
        archive.prune(stranger, TrustedKeys([stranger.public]), time.time_ns(), nothing)


async def test_the_floor_cannot_be_moved(ledger_url: str) -> None:
    """The first entry that remains is changed, and all hashes after it are made right."""
    await write_spans(ledger_url)
    prune(ledger_url, signed_at(ledger_url, 5) + 1)

    def act(db: Tamperer) -> None:
        db.run("UPDATE ledger_entries SET principal = 'x' WHERE sequence = 9")
        repair(db, 1, 9, 12)

    tamper(ledger_url, act)
    (breach,) = audit(ledger_url).breaches
    assert (breach.sequence, "checkpoint 6 signed" in breach.problem) == (12, True)


async def test_evidence_of_tampering_is_not_dropped(ledger_url: str) -> None:
    await write_spans(ledger_url)
    tamper(ledger_url, edit_entry("principal", "'x'"))
    with pytest.raises(FailedPrecondition, match="does not hold"):
        prune(ledger_url)
    assert audit(ledger_url).entries == 2 * EACH


@pytest.mark.parametrize("kind", FORMATS)
async def test_an_export_of_what_remains_holds(ledger_url: str, kind: str, tmp_path: Path) -> None:
    await write_spans(ledger_url)
    prune(ledger_url, signed_at(ledger_url, 5) + 1)
    assert check(export(ledger_url, kind, tmp_path), key_file(ledger_url)) == audit(ledger_url)
