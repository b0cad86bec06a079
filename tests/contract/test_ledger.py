"""What every Ledger must do."""

import asyncio
import math
from collections.abc import AsyncIterator
from types import MappingProxyType

import pytest

from beholden.core.errors import InvalidArgument, Unavailable
from beholden.core.ports import Ledger
from beholden.core.record import OUTCOME, Entry
from tests.contract.ledgers import opened, record


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncIterator[Ledger]:
    async with opened(ledger_url) as made:
        yield made


async def read_all(ledger: Ledger, tenant: str, page_size: int, **options: bool) -> list[Entry]:
    entries: list[Entry] = []
    token = ""
    while True:
        page = await ledger.list(tenant, page_size=page_size, page_token=token, **options)
        assert len(page.items) <= page_size
        entries += page.items
        token = page.next_token
        if not token:
            return entries


async def test_an_empty_ledger_holds(ledger: Ledger) -> None:
    found = await ledger.verify()
    assert (found.entries, found.writers, found.holds) == (0, 0, True)
    assert (await ledger.list("news", page_size=10)).items == ()
    assert await ledger.get("news", "none") == ()


async def test_a_decision_and_its_outcome(ledger: Ledger) -> None:
    decision = await ledger.append(record())
    outcome = await ledger.append(record(id=decision.record.id, kind=OUTCOME))
    assert outcome.previous == decision.hash
    assert outcome.sequence == decision.sequence + 1
    assert await ledger.get("news", decision.record.id) == (decision, outcome)
    assert await ledger.get("police", decision.record.id) == ()


async def test_gives_back_what_was_written(ledger: Ledger) -> None:
    body = {
        "text": "quote \" back \\ apostrophe ' nul \0 newline \n emoji 😀 lone \ud800",
        "numbers": [0.1, -0.0, 1e308, 5e-324, 2**70, -1, True, None],
        "": {"nested": [[], {}]},
    }
    hostile = "x'; DROP TABLE ledger_entries; --\"\\%_ 😀"
    written = record(tenant=hostile, principal=hostile, action=hostile, id=hostile, body=body)
    await ledger.append(written)
    (entry,) = await ledger.get(hostile, hostile)
    assert entry.record == written
    assert repr(entry.record.body["numbers"]) == repr(body["numbers"])  # -0.0 == 0.0
    assert (await ledger.verify()).holds


async def test_takes_any_mapping_and_sequence(ledger: Ledger) -> None:
    await ledger.append(record(id="1", body=MappingProxyType({"a": (1, MappingProxyType({}))})))
    (entry,) = await ledger.get("news", "1")
    assert entry.record.body == {"a": [1, {}]}


async def test_lists_newest_first_in_pages(ledger: Ledger) -> None:
    written = [await ledger.append(record(time_ns=1000 + i // 2)) for i in range(11)]
    await ledger.append(record(tenant="police"))
    for page_size in (1, 4, 11, 50):
        assert await read_all(ledger, "news", page_size) == written[::-1]


async def test_lists_what_was_denied(ledger: Ledger) -> None:
    written = [await ledger.append(record(allowed=i % 3 > 0)) for i in range(10)]
    denied = [entry for entry in written[::-1] if not entry.record.allowed]
    assert await read_all(ledger, "news", 2, denied_only=True) == denied


async def test_refuses_a_page_token_that_is_not_its_own(ledger: Ledger) -> None:
    for _ in range(3):
        await ledger.append(record())
    token = (await ledger.list("news", page_size=1)).next_token
    for bad in ("x", "😀", "AAAA", token[:-2], token + "A", "a" * 4096):
        with pytest.raises(InvalidArgument, match="page_token"):
            await ledger.list("news", page_size=1, page_token=bad)
    with pytest.raises(InvalidArgument, match="page_token"):
        await ledger.list("police", page_size=1, page_token=token)
    with pytest.raises(InvalidArgument, match="page_token"):
        await ledger.list("news", page_size=1, page_token=token, denied_only=True)


@pytest.mark.parametrize("page_size", [0, -1])
async def test_refuses_a_page_of_nothing(ledger: Ledger, page_size: int) -> None:
    with pytest.raises(InvalidArgument, match="page_size"):
        await ledger.list("news", page_size=page_size)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"body": {"x": math.nan}}, "record.body"),
        ({"body": {"x": math.inf}}, "record.body"),
        ({"body": {"x": b"bytes"}}, "record.body"),
        ({"body": {"x": "y" * (1 << 20)}}, "record.body"),
        ({"body": []}, "record.body"),
        ({"kind": "gossip"}, "record.kind"),
        ({"time_ns": -1}, "record.time_ns"),
        ({"time_ns": 2**63}, "record.time_ns"),
        ({"allowed": None}, "record.allowed"),
        ({"tenant": "a\0b"}, "record.tenant"),
        ({"principal": "\ud800"}, "record.principal"),
        ({"id": 7}, "record.id"),
    ],
)
async def test_refuses_what_it_could_not_give_back(
    ledger: Ledger, changes: dict[str, object], field: str
) -> None:
    results = await asyncio.gather(
        ledger.append(record()),
        ledger.append(record(**changes)),
        ledger.append(record()),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [Entry, InvalidArgument, Entry]
    assert isinstance(results[1], InvalidArgument)
    assert results[1].field == field
    assert (await ledger.verify()).entries == 2


async def test_many_at_once(ledger: Ledger) -> None:
    entries = await asyncio.gather(*(ledger.append(record()) for _ in range(300)))
    assert sorted(entry.sequence for entry in entries) == list(range(1, 301))
    found = await ledger.verify()
    assert (found.entries, found.writers, found.breaches) == (300, 1, ())


async def test_several_writers_at_once(ledger_url: str) -> None:
    async with opened(ledger_url) as a, opened(ledger_url) as b, opened(ledger_url) as c:
        await asyncio.gather(*(one.append(record()) for _ in range(50) for one in (a, b, c)))
        found = await b.verify()
        assert (found.entries, found.writers, found.breaches) == (150, 3, ())
        assert len(await read_all(a, "news", 40)) == 150


async def test_stays_when_opened_again(ledger_url: str) -> None:
    async with opened(ledger_url) as ledger:
        first = await ledger.append(record())
        head = (await ledger.verify()).head
    async with opened(ledger_url) as ledger:
        assert (await ledger.verify()).head == head
        second = await ledger.append(record())
        assert second.writer != first.writer
        found = await ledger.verify()
        assert (found.entries, found.writers, found.breaches) == (2, 2, ())
        assert found.head != head


async def test_reading_writes_nothing(ledger_url: str) -> None:
    for _ in range(3):
        async with opened(ledger_url) as ledger:
            assert await ledger.ready()
            assert (await ledger.verify()).writers == 0


async def test_verifies_while_it_is_written(ledger: Ledger) -> None:
    async def write() -> None:
        for _ in range(60):
            await ledger.append(record())

    writing = asyncio.gather(write(), write())
    while not writing.done():
        assert (await ledger.verify()).breaches == ()
    await writing
    assert (await ledger.verify()).entries == 120


async def test_close_commits_what_was_accepted(ledger_url: str) -> None:
    async with opened(ledger_url) as ledger:
        accepted = [asyncio.create_task(ledger.append(record())) for _ in range(20)]
        await asyncio.sleep(0)
        await ledger.close()
        entries = await asyncio.gather(*accepted)
    async with opened(ledger_url) as ledger:
        assert {entry.hash for entry in await read_all(ledger, "news", 50)} == {
            entry.hash for entry in entries
        }


async def test_closed_is_unavailable(ledger_url: str) -> None:
    async with opened(ledger_url) as ledger:
        await ledger.close()
        assert not await ledger.ready()
        for call in (
            ledger.append(record()),
            ledger.get("news", "1"),
            ledger.list("news", page_size=1),
            ledger.verify(),
        ):
            with pytest.raises(Unavailable):
                await call
