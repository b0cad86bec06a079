"""The hash chain's pure functions."""

import hashlib
from dataclasses import replace

import pytest

from beholden.core.errors import InvalidArgument
from beholden.core.record import Breach, Entry, Record
from beholden.ledger.chain import (
    ORIGIN,
    Writer,
    canonical_json,
    check_writer,
    entry_hash,
    writer_link,
)
from beholden.ledger.walk import check_entries

RECORD = Record(
    id="01890a5d-ac96-774b-bcce-b302099a8057",
    kind="decision",
    time_ns=1_600_000_000_000_000_000,
    tenant="news",
    principal="alice",
    action="face.search",
    allowed=False,
    body={"b": 0.1, "a": ["é", None]},
)
UNLINKED = Writer(1, "w" * 32, 7, 0, ORIGIN, "", 0, "")
WRITER = replace(UNLINKED, link=writer_link(ORIGIN, UNLINKED))
BODY = canonical_json(RECORD.body)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ({"b": 1, "a": {"d": 2, "c": 3}}, '{"a":{"c":3,"d":2},"b":1}'),
        (["é", "\x00", "😀", '"\\'], r'["\u00e9","\u0000","\ud83d\ude00","\"\\"]'),
        ([1, 1.0, 1e16, 0.1, -0.0, True, None], "[1,1.0,1e+16,0.1,-0.0,true,null]"),
        ((), "[]"),
    ],
)
def test_canonical_form(value: object, form: str) -> None:
    assert canonical_json(value) == form  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), {1, 2}, b"x", object(), {"a": b""}])
def test_what_is_not_json(value: object) -> None:
    with pytest.raises(InvalidArgument, match="plain JSON"):
        canonical_json(value)  # type: ignore[arg-type]


def test_what_holds_itself() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(InvalidArgument, match="plain JSON"):
        canonical_json(loop)  # type: ignore[arg-type]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_hashes_are_for_ever() -> None:
    """Spelt out, since a change makes every ledger that was ever written look forged."""
    assert WRITER.link == sha256(
        f'{"0" * 64}\n{{"id":"{"w" * 32}","ordinal":1,"started_ns":7,'
        f'"witnessed_hash":"{"0" * 64}","witnessed_sequence":0}}'
    )
    assert entry_hash(WRITER.link, RECORD, BODY) == sha256(
        f'{WRITER.link}\n{{"action":"face.search","allowed":false,'
        f'"body_sha256":"{sha256(BODY)}","id":"01890a5d-ac96-774b-bcce-b302099a8057",'
        '"kind":"decision","principal":"alice","tenant":"news","time_ns":1600000000000000000}'
    )


@pytest.mark.parametrize(
    "change",
    [
        {"id": "x"},
        {"kind": "outcome"},
        {"time_ns": 1},
        {"tenant": "police"},
        {"principal": "bob"},
        {"action": "face.index"},
        {"allowed": True},
    ],
)
def test_every_field_counts(change: dict[str, object]) -> None:
    changed = replace(RECORD, **change)  # type: ignore[arg-type]
    assert entry_hash(ORIGIN, changed, BODY) != entry_hash(ORIGIN, RECORD, BODY)


def chain(length: int) -> tuple[Writer, list[tuple[Entry, str]]]:
    entries, previous = [], WRITER.link
    for sequence in range(1, length + 1):
        made = Entry(WRITER.id, sequence, RECORD, previous, entry_hash(previous, RECORD, BODY))
        entries.append((made, BODY))
        previous = made.hash
    return replace(WRITER, sequence=length, head=previous), entries


def test_a_whole_chain_holds() -> None:
    writer, entries = chain(5)
    assert list(check_writer(writer, 1, ORIGIN)) == []
    assert list(check_entries(writer, entries, None)) == []
    assert list(check_entries(*chain(0), None)) == []


def test_an_inner_entry_is_missing() -> None:
    writer, entries = chain(5)
    assert list(check_entries(writer, entries[:1] + entries[3:], None)) == [
        Breach(writer.id, 2, "is missing, as are all to 3")
    ]


def test_the_tail_is_missing() -> None:
    writer, entries = chain(5)
    assert list(check_entries(writer, entries[:4], None)) == [Breach(writer.id, 5, "is missing")]


def test_the_next_writer_knows_better() -> None:
    _, entries = chain(5)
    shorter, _ = chain(3)
    following = replace(WRITER, witnessed_sequence=5, witnessed_hash=entries[-1][0].hash)
    assert list(check_entries(shorter, entries[:3], following)) == [
        Breach(WRITER.id, 4, "is missing, as are all to 5")
    ]
    other = replace(following, witnessed_hash=ORIGIN)
    writer, _ = chain(5)
    assert list(check_entries(writer, entries, other)) == [
        Breach(WRITER.id, 5, "is not what the next writer found here")
    ]


def test_entries_after_the_head() -> None:
    _, entries = chain(5)
    shorter, _ = chain(4)
    assert list(check_entries(shorter, entries, None)) == [
        Breach(WRITER.id, 4, "the writer's head is not its last entry")
    ]


def test_an_entry_before_the_first() -> None:
    writer, entries = chain(2)
    stray = replace(entries[0][0], sequence=0)
    breaches = list(check_entries(writer, [(stray, BODY), *entries], None))
    assert Breach(writer.id, 0, "has no place in the chain") in breaches


def test_writers_follow_each_other() -> None:
    assert list(check_writer(WRITER, 1, "f" * 64)) == [
        Breach(WRITER.id, 0, "the writer's own line was changed")
    ]
    assert list(check_writer(replace(WRITER, ordinal=4), 2, ORIGIN)) == [
        Breach(WRITER.id, 0, "writers 2 to 3 are missing")
    ]
