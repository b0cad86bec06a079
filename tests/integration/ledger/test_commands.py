"""`beholden ledger` as somebody types it who has a ledger, an export or a proof, and no server."""

import io
import json
import os
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from beholden.cli import main
from tests.contract.ledgers import opened, record
from tests.integration.ledger.test_notices import TO, owing
from tests.integration.ledger.test_tampering import edit_entry, tamper


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ended]


@pytest.fixture
async def url(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path / 'ledger.db'}"
    for writer in range(2):
        async with opened(made) as ledger:
            for number in range(6):
                await ledger.append(record(id=f"call-{writer}-{number}", allowed=number != 3))
    return made


@pytest.fixture
def run(url: str, tmp_path: Path) -> Run:
    """Runs in a folder of its own, configured for the ledger, as its operator would."""
    env = {
        "PATH": os.environ["PATH"],
        "COLUMNS": "120",
        "BEHOLDEN_LEDGER_URL": url,
        "BEHOLDEN_LEDGER__KEY_FILE": str(tmp_path / "ledger.key"),
    }

    def run(*arguments: str | Path, **changes: str) -> Ended:
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, {**env, **changes}, clear=True),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = main(["ledger", *map(str, arguments)])
        return Ended(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture
def public(run: Run, tmp_path: Path) -> Path:
    """The public key in a file, as it is given to an auditor."""
    path = tmp_path / "public.pem"
    path.write_text(run("key").out)
    assert path.read_text().startswith("-----BEGIN PUBLIC KEY-----")
    return path


ELSEWHERE = {"BEHOLDEN_LEDGER_URL": "sqlite:///none.db", "BEHOLDEN_LEDGER__KEY_FILE": "none.key"}


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_an_export_is_checked_elsewhere(run: Run, public: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "export"
    ended = run("export", out, "--format", kind, "--json")
    assert ended.lines == [{"out": str(out), "format": kind, "entries": 12}]
    found = run("verify", "--ledger", out, "--key", public, "--json", **ELSEWHERE).lines[0]
    assert (found["holds"], found["entry_count"], found["covered_entry_count"]) == (
        True,
        "12",
        "12",
    )
    told = run("verify", "--ledger", out, "--key", public, **ELSEWHERE)
    assert (told.code, "The chain holds" in told.out) == (0, True)
    known = f"{found['checkpoint_count']}:{found['checkpoint']}"
    for remembered, code in ((known, 0), ("2:" + "0" * 64, 1), ("7:" + "0" * 64, 1)):
        assert run("verify", "--ledger", out, "--known", remembered).code == code
    assert run("export", out).code == 1
    assert sorted(path.name for path in tmp_path.glob("*.part")) == []


def test_an_export_for_a_pipe(run: Run) -> None:
    lines = run("export", "-").lines
    assert [line["line"] for line in lines].count("entry") == 12
    assert run("export", "-", "--format", "parquet").code == 2


def test_a_tampered_ledger(run: Run, url: str) -> None:
    tamper(url, edit_entry("principal", "'x'"))
    ended = run("verify", "--ledger", url)
    assert ended.code == 1
    assert "entry 3" in ended.out
    assert "was changed after it was written" in ended.out
    assert run("prune", "--keep-days", 0, "--yes").code == 1


def test_a_forged_checkpoint(run: Run, url: str) -> None:
    tamper(url, lambda db: db.run("UPDATE ledger_checkpoints SET time_ns = 7 WHERE ordinal = 1"))
    ended = run("verify", "--ledger", url)
    assert (ended.code, "checkpoint 1" in ended.out) == (1, True)


def test_no_key_no_verdict(run: Run, url: str, tmp_path: Path) -> None:
    ended = run("verify", "--ledger", url, BEHOLDEN_LEDGER__KEY_FILE=str(tmp_path / "none"))
    assert ended.code == 1
    assert "is not here" in ended.err
    assert not (tmp_path / "none").exists(), "looking makes no key"
    assert run("key", BEHOLDEN_LEDGER__KEY_FILE=str(tmp_path / "none")).code == 1


def test_a_proof_goes_to_somebody_else(run: Run, public: Path, tmp_path: Path) -> None:
    proof = tmp_path / "proof.json"
    assert run("prove", "call-1-3", "--out", proof).code == 0
    ended = run("check-proof", proof, "--key", public, **ELSEWHERE)
    assert (ended.code, ended.err) == (0, "")
    for said in ("Proved", "call-1-3", "alice@news of news", "face.search, refused"):
        assert said in ended.out
    (told,) = run("check-proof", proof, "--key", public, "--json").lines
    assert (told["holds"], told["entry"]["body"]["purpose"]) == (True, "editorial")
    proof.write_text(proof.read_text().replace('"allowed": false', '"allowed": true'))
    ended = run("check-proof", proof, "--key", public)
    assert (ended.code, "Proves nothing" in ended.out) == (1, True)


def test_a_tenant_proves_its_own(run: Run) -> None:
    assert run("prove", "call-1-3", "--as", "news").lines[0]["proofs"]
    ended = run("prove", "call-1-3", "--as", "police")
    assert (ended.code, "does not exist" in ended.err) == (1, True)


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", '{"proofs": []}', '{"proofs": [7]}'])
def test_what_is_no_proof(run: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.json").write_text(text)
    assert run("check-proof", tmp_path / "odd.json").code == 2
    assert run("check-proof", tmp_path / "none.json").code == 1


def test_old_records_go(run: Run, url: str) -> None:
    assert run("prune", "--before", "2020-01-01", "--yes").out == "nothing is that old\n"
    assert run("prune", "--keep-days", 0, "--yes", "--json").lines == [
        {"dropped": 12, "upto_checkpoint": 2}
    ]
    ended = run("verify", "--ledger", url, "--json")
    assert (ended.lines[0]["holds"], ended.lines[0]["entry_count"]) == (True, "0")


def test_pruning_wants_to_be_meant(run: Run, url: str, tmp_path: Path) -> None:
    for odd in (
        ("prune",),
        ("prune", "--keep-days", 1),
        ("prune", "--keep-days", 1, "--before", "2020-01-01", "--yes"),
        ("prune", "--keep-days", -1, "--yes"),
        ("prune", "--before", "yesterday", "--yes"),
        ("prune", "--keep-days", 0, "--yes", "--ledger", tmp_path / "export.jsonl"),
        ("verify", "--known", "x", "--ledger", url),
        ("verify", "--key", "x.pem"),
    ):
        assert run(*odd).code == 2, odd
    assert run("verify", "--ledger", url, "--json").lines[0]["entry_count"] == "12"


def test_help_has_examples(run: Run) -> None:
    for command in ("verify", "list", "export", "key", "prove", "check-proof", "prune"):
        ended = run(command, "--help")
        assert ended.code == 0
        assert f"beholden ledger {command}" in ended.out.replace("\n", " ")


async def test_notices(run: Run, url: str) -> None:
    assert "no notices" in run("notices").out
    async with opened(url) as ledger:
        await ledger.append(owing(id="call-owing"))
    shown = run("notices", "--waiting").out
    assert "call-owing" in shown
    assert "waiting" in shown
    (line,) = run("notices", "--max", "1", "--json").lines
    assert (line["attempts"], line["delivered"], line["body"]["to"]) == (0, "", TO)
    assert run("notices", "--ledger", "export.jsonl").code == 2
