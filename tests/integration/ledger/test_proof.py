"""A proof of one record: checked with the public key alone, and against every change to it."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from beholden.core.errors import FailedPrecondition, InvalidArgument, NotFound
from beholden.core.record import OUTCOME
from beholden.ledger.archive import open_archive
from beholden.ledger.keys import TrustedKeys, open_signer, read_public
from beholden.ledger.proof import Proof, check_proof, read_proof
from tests.contract.ledgers import key_file, ledger_settings, opened, record
from tests.integration.ledger.test_checkpoints import reseal
from tests.integration.ledger.test_tampering import delete, tamper


def keys(url: str) -> TrustedKeys:
    return TrustedKeys(read_public([key_file(url)]))


def proofs(url: str, decision: str, tenant: str = "") -> tuple[Proof, ...]:
    """Made by one, given away as JSON, and read by another."""
    with open_archive(url, ledger_settings(url)) as archive:
        made = archive.prove(decision, tenant)
    return tuple(read_proof(json.loads(json.dumps(proof.document()))) for proof in made)


async def write(url: str, records: int = 11) -> list[str]:
    async with opened(url) as ledger:
        return [(await ledger.append(record(id=f"call-{n}"))).record.id for n in range(records)]


@pytest.mark.parametrize("records", [1, 2, 7, 8, 33])
async def test_every_record_has_a_proof(ledger_url: str, records: int) -> None:
    for decision in await write(ledger_url, records):
        (proof,) = proofs(ledger_url, decision)
        assert proof.entry.record.id == decision
        assert check_proof(proof, keys(ledger_url)) == ()


async def test_a_decision_and_its_outcome_over_several_chains(ledger_url: str) -> None:
    for _ in range(2):
        async with opened(ledger_url) as ledger:
            for number in range(5):
                await ledger.append(record())
                if number == 2:
                    await ledger.append(record(id="asked"))
                    reseal(ledger_url)
                    await ledger.append(record(id="asked", kind=OUTCOME, body={"status": "OK"}))
    found = proofs(ledger_url, "asked")
    assert [proof.entry.record.kind for proof in found] == ["decision", "outcome"] * 2
    assert all(check_proof(proof, keys(ledger_url)) == () for proof in found)


async def test_a_proof_shows_nothing_of_other_records(ledger_url: str) -> None:
    async with opened(ledger_url) as ledger:
        for number in range(9):
            await ledger.append(
                record(tenant=f"tenant-{number}", body={"said": f"hidden {number}"})
            )
        await ledger.append(record(id="ours"))
    text = json.dumps(proofs(ledger_url, "ours")[0].document())
    assert "tenant-" not in text
    assert "hidden" not in text


async def test_nobody_else_gets_a_tenants_proof(ledger_url: str) -> None:
    await write(ledger_url)
    assert proofs(ledger_url, "call-3", "news")
    for decision, tenant in (("call-3", "police"), ("none", ""), ("", "")):
        with pytest.raises(NotFound):
            proofs(ledger_url, decision, tenant)


def change(*place: str | int, to: Any) -> Callable[[Any], None]:
    def act(document: Any) -> None:
        *above, last = place
        for step in above:
            document = document[step]
        document[last] = to(document[last]) if callable(to) else to

    return act


def other(digest: str) -> str:
    return f"{digest[:-1]}{'0' if digest[-1] != '0' else '1'}"


FORGERIES = {
    "allowed": change("entry", "allowed", to=False),
    "body": change("entry", "body", to=lambda text: text.replace("editorial", "police")),
    "tenant": change("entry", "tenant", to="police"),
    "time": change("entry", "time_ns", to=7),
    "hash": change("entry", "hash", to=other),
    "previous": change("entry", "previous", to=other),
    "sequence": change("entry", "sequence", to=3),
    "outside": change("entry", "sequence", to=99),
    "writer": change("entry", "writer", to="w" * 32),
    "path": change("path", 1, to=other),
    "shorter": change("path", to=lambda path: path[:-1]),
    "longer": change("path", to=lambda path: [*path, "00" * 32]),
    "no hex": change("path", 0, to="x"),
    "root": change("checkpoint", "spans", 0, "root", to=other),
    "span": change("checkpoint", "spans", 0, "last", to=10),
    "more spans": change("checkpoint", "spans", to=lambda spans: spans * 2),
    "checkpoint's time": change("checkpoint", "time_ns", to=7),
    "signature": change("checkpoint", "signature", to=other),
    "no signature": change("checkpoint", "signature", to=""),
    "key": change("checkpoint", "key", to=other),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_proof(tmp_path: Path, forgery: str) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    await write(url)
    document = proofs(url, "call-6")[0].document()
    forged = copy.deepcopy(document)
    FORGERIES[forgery](forged)
    assert check_proof(read_proof(forged), keys(url)) != ()
    assert check_proof(read_proof(document), keys(url)) == ()


async def test_a_record_with_a_hash_of_its_own_is_in_no_tree(tmp_path: Path) -> None:
    """The forger recomputes what can be without the key."""
    from beholden.ledger.chain import entry_hash

    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    await write(url)
    document = proofs(url, "call-6")[0].document()
    document["entry"]["allowed"] = False
    changed = read_proof(document)
    digest = entry_hash(changed.entry.previous, changed.entry.record, changed.body)
    document["entry"]["hash"] = digest
    (problem,) = check_proof(read_proof(document), keys(url))
    assert "not among those" in problem


async def test_another_key(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    await write(url)
    stranger = TrustedKeys([open_signer(tmp_path / "stranger.key").public])
    (problem,) = check_proof(proofs(url, "call-6")[0], stranger)
    assert "not trusted" in problem
    assert check_proof(proofs(url, "call-6")[0], TrustedKeys()) == (problem,)


ODD = {
    "no object": lambda _: [],
    "another format": change("format", to="beholden-ledger-proof-9"),
    "a field too many": lambda proof: {**proof, "note": "believe me"},
    "a field too few": lambda proof: {k: v for k, v in proof.items() if k != "path"},
    "a number for text": change("entry", "tenant", to=7),
    "a truth for a number": change("entry", "sequence", to=True),
    "a huge number": change("entry", "time_ns", to=2**70),
    "no body": change("entry", "body", to="[]"),
    "deep": change("entry", "body", to="[" * 100_000),
    "no spans": change("checkpoint", "spans", to=[7]),
    "path of numbers": change("path", to=[1, 2, 3]),
}


@pytest.mark.parametrize("odd", ODD)
async def test_what_is_no_proof(tmp_path: Path, odd: str) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    await write(url)
    document = proofs(url, "call-6")[0].document()
    changed = ODD[odd](document)
    with pytest.raises(InvalidArgument, match="proof"):
        read_proof(document if changed is None else changed)


async def test_what_no_checkpoint_covers_yet(ledger_url: str) -> None:
    async with opened(ledger_url) as ledger:
        await ledger.append(record(id="new"))
        with pytest.raises(FailedPrecondition, match="no checkpoint covers"):
            proofs(ledger_url, "new")


async def test_no_proof_out_of_a_span_that_is_not_whole(ledger_url: str) -> None:
    await write(ledger_url)
    tamper(ledger_url, delete(0, 3, 3))
    with pytest.raises(FailedPrecondition, match="ledger verify"):
        proofs(ledger_url, "call-6")
