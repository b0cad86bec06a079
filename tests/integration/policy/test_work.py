"""`beholden policy test | bundle | diff | simulate` on real folders, a real git and a real ledger."""

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from beholden.cli import main
from beholden.core.record import DECISION, Record
from beholden.ledger.open import open_ledger
from beholden.ledger.settings import LedgerSettings
from beholden.policy.checking import decide_all
from beholden.policy.law import load_law
from tests.contract.policy_engines import POLICIES, call, law, opa_server, require_opa


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the policies with two files of cases."""
    monkeypatch.chdir(tmp_path)
    copy = Path(shutil.copytree(POLICIES, tmp_path / "policies"))
    for file in (copy / "cases").glob("*.yaml"):
        if file.stem not in {"exemptions", "evidence"}:
            file.unlink()
    return copy


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["policy", *map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def expire(folder: Path) -> None:
    """Find the Lost's exemption runs out."""
    path = folder / "law" / "exemptions" / "data.json"
    path.write_text(path.read_text().replace('"until": "2027-06-10"', '"until": "2026-01-01"'))


def test_cases_run_on_both_engines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    require_opa()
    code, out, err = run(capsys, "test", "--policies", folder, "--json")
    done = [json.loads(line) for line in out.splitlines()]
    assert code == 0, out + err
    assert {(Path(one["file"]).stem, one["engine"]) for one in done} == {
        (name, engine) for name in ("exemptions", "evidence") for engine in ("rego", "opa")
    }
    assert all(one["calls"] > 5 and not one["wrong"] for one in done)


def test_a_case_that_does_not_hold_fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "cases" / "evidence.yaml"
    file.write_text(file.read_text().replace("offences: [kidnapping, terrorism]", "offences: [x]"))
    code, out, _ = run(capsys, "test", file, "--policies", folder)
    assert code == 1
    assert "with an order: allow: False, not True" in " ".join(out.split())


def test_a_bundle_is_what_opa_serves(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = tmp_path / "one.tar.gz", tmp_path / "two.tar.gz"
    code, out, _ = run(capsys, "bundle", one, "--policies", folder, "--json")
    assert code == 0
    assert json.loads(out)["revision"] == load_law(folder).revision
    run(capsys, "bundle", two, "--policies", folder)
    assert one.read_bytes() == two.read_bytes()
    require_opa()
    with opa_server(one, tmp_path, socket_file=True):
        pass  # it comes up, with the bundle active


@pytest.mark.parametrize("at_once", [True, False], ids=["bundle --key", "sign"])
def test_a_signed_bundle_is_verified(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, at_once: bool
) -> None:
    opa = require_opa()
    key = tmp_path / "key.pem"
    made = ECKey.generate_key("P-256")
    key.write_bytes(made.as_pem(private=True))
    (tmp_path / "public.pem").write_bytes(made.as_pem(private=False))
    (tmp_path / "other.pem").write_bytes(ECKey.generate_key("P-256").as_pem(private=False))
    bundle = tmp_path / "signed.tar.gz"

    def built(public: str) -> int:
        command: list[str | Path] = [
            opa, "build", "--bundle", bundle, "--verification-key", tmp_path / public,
            "--signing-alg", "ES256", "--output", tmp_path / "out.tar.gz",
        ]  # fmt: skip
        return subprocess.run(command, capture_output=True, check=False).returncode

    signing = ["--key", key]
    assert (
        run(capsys, "bundle", bundle, "--policies", folder, *(signing if at_once else []))[0] == 0
    )
    if not at_once:
        assert built("public.pem") != 0
        code, out, _ = run(capsys, "sign", bundle, *signing, "--json")
        assert (code, json.loads(out)["signed"]) == (0, True)
    assert built("public.pem") == 0
    assert built("other.pem") != 0
    assert run(capsys, "sign", bundle, "--key", tmp_path / "public.pem")[0] == 1
    assert run(capsys, "sign", tmp_path / "none.tar.gz", *signing)[0] != 0
    for wrong in (["--listen", "nonsense"], ["--listen", "127.0.0.1:99999"]):
        assert run(capsys, "serve", *wrong)[0] == 2
    serving = ["serve", "--listen", "127.0.0.1:0"]
    assert run(capsys, *serving, "--key", tmp_path / "none.pem")[0] == 1
    assert run(capsys, *serving, "--policies", tmp_path)[0] == 1


def test_malformed_law_is_never_bundled(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "law" / "limits" / "data.json").write_text("{}")
    out = tmp_path / "bundle.tar.gz"
    code, _, err = run(capsys, "bundle", out, "--policies", folder)
    assert code == 1
    assert "law/limits" in err
    assert not out.exists()


def test_a_difference_in_words_and_cases(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    candidate = Path(shutil.copytree(folder, tmp_path / "candidate"))
    assert "the same law" in run(capsys, "diff", folder, candidate)[1]
    expire(candidate)
    code, out, _ = run(capsys, "diff", folder, candidate, "--json")
    told = json.loads(out)
    assert code == 0
    (change,) = told["changes"]
    assert change["place"] == "law/exemptions/find-the-lost"
    assert "until was 2027-06-10, is 2026-01-01" in change["words"]
    assert told["cases"]
    for one in told["cases"]:
        assert one["tenant"] == "find-the-lost"
        assert one["before"].startswith("allowed by exemptions/find-the-lost")
        assert one["after"].startswith("refused by amazon-2021/police-face-comparison")


def test_a_git_revision_is_a_law(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=t", "-c", "user.email=t@example"]
        subprocess.run(
            ["git", *who, *arguments], cwd=folder.parent, check=True, capture_output=True
        )

    git("init")
    git("add", "policies")
    git("commit", "-m", "law")
    expire(folder)
    code, out, _ = run(capsys, "diff", "HEAD", "--policies", folder, "--json")
    assert code == 0
    assert [one["place"] for one in json.loads(out)["changes"]] == ["law/exemptions/find-the-lost"]
    for wrong in ("no-such-revision", "--output=x"):
        code, _, err = run(capsys, "diff", "--policies", folder, "--", wrong)
        assert code == 1
        assert "no git revision" in err


def write_ledger(path: Path, count: int) -> None:
    """Decisions of three tenants, as the guard records them under the law in force."""
    calls = [
        call("daily-herald", purpose="editorial_research"),
        call("find-the-lost", purpose="victim_identification"),
        call("metro-police", purpose="criminal_investigation"),
    ]

    async def write() -> None:
        decisions = await decide_all(law(), calls)
        key = path.with_suffix(".key")
        ledger = await open_ledger(f"sqlite:///{path}", LedgerSettings(key_file=key))
        await asyncio.gather(*(ledger.append(_record(n, calls, decisions)) for n in range(count)))
        await ledger.append(
            Record("x", "outcome", 1, "daily-herald", "ann", "face.search", True, {"status": "OK"})
        )
        await ledger.close()

    asyncio.run(write())


def _record(number: int, calls: list[dict[str, Any]], decisions: list[Any]) -> Record:
    facts, decision = calls[number % 3], decisions[number % 3]
    now = {"now": f"2026-11-22T00:{number % 60:02}:00Z", "ns": number}
    said = {
        "allowed": decision.allowed,
        "reasons": [{"law": one.law, "code": one.code} for one in decision.reasons],
        "obligations": [
            {"kind": one.kind, "value": one.value, "law": one.law} for one in decision.obligations
        ],
    }
    body: Any = {"facts": {**facts, "time": now}, "decision": said}
    tenant = facts["tenant"]["id"]
    return Record(
        f"d{number}", DECISION, number + 1, tenant, "ann", "face.search", decision.allowed, body
    )


@pytest.mark.thorough
def test_recorded_decisions_under_another_law(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger.db"
    write_ledger(ledger, 1200)
    place = ("--ledger", f"sqlite:///{ledger}", "--workers", "2")
    code, out, err = run(capsys, "simulate", "--law", folder, *place, "--json")
    same = json.loads(out)
    assert (code, same["replayed"], same["changed"]) == (0, 1200, 0), out + err
    expire(folder)
    for export in ([], ["jsonl"], ["parquet"]):
        if export:
            target = tmp_path / f"out-{export[0]}"
            source = ["--format", export[0], "--ledger", f"sqlite:///{ledger}"]
            assert main(["ledger", "export", str(target), *source]) == 0
            place = ("--ledger", str(target), "--workers", "1")
        found = json.loads(run(capsys, "simulate", "--law", folder, *place, "--json")[1])
        assert (found["replayed"], found["unreadable"]) == (1200, 0)
        (group,) = found["groups"]
        assert group["examples"][0].startswith("d")
        assert len(group.pop("examples")) == 3
        assert group == {
            "change": "newly refused",
            "tenant": "find-the-lost",
            "action": "face.search",
            "laws": ["amazon-2021/police-face-comparison"],
            "count": 400,
        }
    code, out, _ = run(capsys, "simulate", "--law", folder, *place)
    assert "400 newly refused" in out


def test_what_is_no_ledger(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = folder / "bad.jsonl"
    bad.write_text("{}\n")
    for place in ("nowhere.jsonl", str(bad), "sqlite:///nowhere.db"):
        code, _, err = run(capsys, "simulate", "--law", folder, "--ledger", place, "--workers", "1")
        assert code in {1, 2}
        said = "".join(err.replace("│", " ").split())
        assert "nowhere" in said or "bad.jsonl" in said
