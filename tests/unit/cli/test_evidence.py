"""Evidence at the terminal: keys that only their owner reads, tokens minted, shown and sent along."""

import json
import time
from pathlib import Path

import pytest

from beholden.cli import main
from beholden.cli.failures import Failure
from beholden.cli.session import Options
from beholden.guard.authorities import read_authorities
from beholden.guard.evidence import evidence


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_is_minted_is_believed_where_the_law_has_the_entry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evidence", "key"]) == 0
    issuers = json.loads(capsys.readouterr().out)
    assert (tmp_path / "var/evidence.jwk").stat().st_mode & 0o777 == 0o600
    mint = [
        "evidence",
        "mint",
        "authorisation",
        "--as",
        "metro-police",
        "--purpose",
        "public_security",
    ]
    assert main([*mint, "--collection", "wanted", "--case", "4711", "--id", "order-1", "-q"]) == 0
    assert main([*mint, "--collection", "wanted", "--case", "4711", "--id", "order-1"]) == 0
    token = capsys.readouterr().out.split()[-1]
    authorities = read_authorities(issuers, {})
    metadata = {"beholden-authorisation": (token,)}
    found = evidence(
        metadata, authorities, tenant="metro-police", audience="beholden", now=time.time(), leeway=5
    )
    shown = found["authorisation"]
    assert isinstance(shown, dict)
    assert (shown["id"], shown["case"]) == ("order-1", "4711")
    assert shown["collections"] == ["collections/wanted"]
    assert shown["purposes"] == ["public_security"]

    Path("order.jwt").write_text(token + "\n")
    assert main(["evidence", "show", "order.jwt", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["claims"]["jti"] == "order-1"
    assert told["checked"] is False
    sent = Options(server="x", authorisation=Path("order.jwt")).declarations()
    assert sent == [("beholden-authorisation", token)]


def test_what_is_no_token_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad").write_text("a.b.c")
    Path("large").write_text("x" * 10_000)
    for file in ("bad", "large", "nowhere"):
        assert main(["evidence", "show", file]) == 2
        assert file in capsys.readouterr().err
    with pytest.raises(Failure, match="nowhere"):
        Options(server="x", consent=Path("nowhere")).declarations()


def test_minting_wants_a_key_and_a_tenant(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evidence", "mint", "consent", "--as", "daily-herald"]) == 1
    assert "evidence key" in capsys.readouterr().err
    assert main(["evidence", "mint", "consent"]) == 2
