"""Exports stand on their own: what was tampered with in the ledger or in the file shows."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from beholden.core.errors import FailedPrecondition, InvalidArgument
from beholden.core.record import Verification
from beholden.ledger.archive import open_archive
from beholden.ledger.keys import TrustedKeys, read_public
from beholden.ledger.proof import check_proof
from tests.contract.ledgers import key_file, ledger_settings, opened, record
from tests.integration.ledger.test_checkpoints import audit, nothing, rewrite, write_spans
from tests.integration.ledger.test_tampering import edit_entry, tamper

FORMATS = ("jsonl", "parquet")


def export(url: str, kind: str, folder: Path) -> Path:
    """The export's path: a file, or a folder."""
    path = folder / f"export.{kind}"
    with open_archive(url, ledger_settings(url)) as archive:
        if kind == "parquet":
            archive.to_parquet(path, nothing)
        else:
            with path.open("w") as file:
                archive.to_json_lines(file, nothing)
    return path


def check(path: Path, key: Path) -> Verification:
    with open_archive(str(path), ledger_settings("sqlite:///x")) as archive:
        return archive.verify(TrustedKeys(read_public([key])), nothing)


@pytest.mark.parametrize("kind", FORMATS)
async def test_an_export_is_the_ledger(ledger_url: str, kind: str, tmp_path: Path) -> None:
    await write_spans(ledger_url)
    path = export(ledger_url, kind, tmp_path)
    assert check(path, key_file(ledger_url)) == audit(ledger_url)
    with (
        open_archive(str(path), ledger_settings(ledger_url)) as copy,
        open_archive(ledger_url, ledger_settings(ledger_url)) as archive,
    ):
        listed = copy.list("news", page_size=100)
        assert listed == archive.list("news", page_size=100)
        (proof,) = copy.prove(listed.items[3].record.id)
        assert check_proof(proof, TrustedKeys(read_public([key_file(ledger_url)]))) == ()


@pytest.mark.parametrize("kind", FORMATS)
async def test_any_text_and_number_survives(ledger_url: str, kind: str, tmp_path: Path) -> None:
    body = {
        "text": 'quote " back \\ nul \0 newline \n \u2028 emoji 😀 lone \ud800',
        "numbers": [0.1, -0.0, 1e308, 5e-324, 2**70, -1, True, None, 1e16],
    }
    async with opened(ledger_url) as ledger:
        await ledger.append(record(body=body, principal="😀 ', \n", tenant="ü"))
    assert check(export(ledger_url, kind, tmp_path), key_file(ledger_url)).holds


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    "change", ["body || ' x'", "'{'", "replace(body, 'editorial', 'police')", "'7'"]
)
async def test_what_was_wrong_in_the_ledger_is_wrong_in_its_export(
    ledger_url: str, kind: str, change: str, tmp_path: Path
) -> None:
    await write_spans(ledger_url)
    tamper(ledger_url, edit_entry("body", change))
    (breach,) = check(export(ledger_url, kind, tmp_path), key_file(ledger_url)).breaches
    assert (breach.sequence, breach.problem) == (3, "was changed after it was written")


@pytest.mark.parametrize("kind", FORMATS)
async def test_a_rewritten_chain_in_an_export(ledger_url: str, kind: str, tmp_path: Path) -> None:
    await write_spans(ledger_url)
    rewrite(ledger_url, 1, 6, "somebody else")
    found = check(export(ledger_url, kind, tmp_path), key_file(ledger_url))
    assert found.breaches == audit(ledger_url).breaches != ()


async def lines(folder: Path) -> list[Any]:
    url = f"sqlite:///{folder / 'ledger.db'}"
    await write_spans(url)
    return [json.loads(line) for line in export(url, "jsonl", folder).read_text().splitlines()]


def of(kind: str, lines: list[Any], place: int = 0) -> int:
    return [n for n, line in enumerate(lines) if line["line"] == kind][place]


def drop(kind: str, place: int) -> Callable[[list[Any]], object]:
    return lambda lines: lines.pop(of(kind, lines, place))


def edit(kind: str, **fields: object) -> Callable[[list[Any]], object]:
    return lambda lines: lines[of(kind, lines, 1)].update(fields)


EDITS: dict[str, Callable[[list[Any]], object]] = {
    "an entry less": drop("entry", 5),
    "the last entry less": drop("entry", -1),
    "a writer less": drop("writer", -1),
    "a checkpoint less": drop("checkpoint", 2),
    "the tail and its checkpoint less": lambda lines: [
        drop("checkpoint", -1)(lines),
        drop("entry", -1)(lines),
    ],
    "another principal": edit("entry", principal="somebody else"),
    "another body": edit("entry", body={"purpose": "none"}),
    "no body": edit("entry", body=None),
    "another time of signing": edit("checkpoint", time_ns=7),
    "another head": edit("writer", head="0" * 64),
}


@pytest.mark.parametrize("what", EDITS)
async def test_an_edited_export(tmp_path: Path, what: str) -> None:
    told = await lines(tmp_path)
    EDITS[what](told)
    path = tmp_path / "edited.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in told))
    assert not check(path, tmp_path / "ledger.key").holds


async def test_the_order_of_lines_means_nothing(tmp_path: Path) -> None:
    first, *rest = await lines(tmp_path)
    path = tmp_path / "turned.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in (first, *rest[::-1])))
    assert check(path, tmp_path / "ledger.key").holds


ODD = {
    "empty": lambda text: "",
    "no first line": lambda text: text.partition("\n")[2],
    "another format": lambda text: text.replace("beholden-ledger-1", "beholden-ledger-9"),
    "cut off": lambda text: text[:-20],
    "no JSON": lambda text: text + "hello\n",
    "a list": lambda text: text + "[]\n",
    "deep": lambda text: text + "[" * 100_000 + "\n",
    "an unknown line": lambda text: text + '{"line":"gossip"}\n',
    "a line twice": lambda text: text + text.splitlines()[-1] + "\n",
    "a wrong type": lambda text: text.replace('"allowed":true', '"allowed":"true"', 1),
    "a huge number": lambda text: text.replace('"sequence":3', f'"sequence":{2**70}', 1),
    "no ASCII": lambda text: text + "é\n",
    "a line without end": lambda text: text + "x" * (9 << 20),
}


@pytest.mark.parametrize("odd", ODD)
async def test_what_is_no_export(tmp_path: Path, odd: str) -> None:
    await lines(tmp_path)
    path = tmp_path / "odd.jsonl"
    path.write_text(ODD[odd]((tmp_path / "export.jsonl").read_text()))
    with pytest.raises(InvalidArgument, match=r"odd\.jsonl"):
        check(path, tmp_path / "ledger.key")


async def test_what_is_no_parquet_export(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    await write_spans(url)
    path = export(url, "parquet", tmp_path)
    entries = path / "entries.parquet"
    whole = entries.read_bytes()
    table = pq.read_table(entries)
    for broken in (whole[:-9], b"", b"PAR1", whole[: len(whole) // 2] + whole[-100:]):
        entries.write_bytes(broken)
        with pytest.raises(InvalidArgument, match=r"entries\.parquet"):
            check(path, tmp_path / "ledger.key")
    pq.write_table(table.drop_columns(["hash"]), entries)
    with pytest.raises(InvalidArgument, match="hash"):
        check(path, tmp_path / "ledger.key")
    pq.write_table(table.slice(0, table.num_rows - 1), entries)
    assert not check(path, tmp_path / "ledger.key").holds
    entries.unlink()
    with pytest.raises(InvalidArgument, match=r"entries\.parquet"):
        check(path, tmp_path / "ledger.key")


async def test_people_can_read_it(tmp_path: Path) -> None:
    told = await lines(tmp_path)
    entry = told[of("entry", told)]
    assert entry["body"]["purpose"] == "editorial"
    assert pq.read_schema(
        export(f"sqlite:///{tmp_path / 'ledger.db'}", "parquet", tmp_path) / "entries.parquet"
    ).names[:4] == ["writer", "sequence", "id", "kind"]


async def test_progress_counts_to_the_end(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    await write_spans(url)
    with open_archive(url, ledger_settings(url)) as archive:
        for work in (
            lambda told: archive.verify(TrustedKeys(), told),
            lambda told: archive.to_json_lines(StringIO(), told),
        ):
            seen: list[tuple[int, int]] = []
            work(lambda done, total, seen=seen: seen.append((done, total)))
            assert seen == [(n, 24) for n in range(1, 25)]


async def test_nothing_is_made_where_nothing_is(tmp_path: Path) -> None:
    for place in (f"sqlite:///{tmp_path / 'none.db'}", str(tmp_path / "none.jsonl")):
        with (
            pytest.raises(FailedPrecondition, match="there is no"),
            open_archive(place, ledger_settings(f"sqlite:///{tmp_path / 'x'}")),
        ):
            pass
    assert list(tmp_path.iterdir()) == []
