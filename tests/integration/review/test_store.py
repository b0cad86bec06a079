"""How reviews are kept: encrypted, once for each reviewer, and not for ever."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from beholden.core.errors import Denied, FailedPrecondition, InvalidArgument, NotFound, Unavailable
from beholden.core.review import HeldAnswer, Opinion, Review, ReviewState
from beholden.ledger.database import Database, connect
from beholden.ledger.reviews import SqlReviews
from beholden.ledger.sealed_box import open_box
from beholden.ledger.settings import ReviewSettings
from tests.contract.ledgers import ledger_settings

ANSWER = HeldAnswer("beholden.v1.SearchFacesResponse", "candidates", b"the candidates, in full")
HOUR = 3600 * 10**9


class Clock:
    """Time as a test sets it, in nanoseconds."""

    now = 1_000 * HOUR

    def __call__(self) -> int:
        return self.now


class Kept:
    """Reviews, their clock, and their database as an attacker sees it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.clock = Clock()
        self.database: Database = connect(url, ledger_settings(url))
        settings = ReviewSettings(key_file=folder / "reviews.key", hours=24, sweep_seconds=3600)
        self.revoked: set[tuple[str, str]] | None = set()
        self.reviews = SqlReviews(
            self.database, open_box(settings.key_file), settings, self._revoked, self.clock
        )

    def _revoked(self) -> set[tuple[str, str]]:
        if self.revoked is None:
            raise Unavailable("evidence", "cannot be read")
        return self.revoked

    async def hold(self, id: str = "1", reviewers: int = 1, **changes: object) -> Review:
        review = Review(
            id, "news", "alice", "face.search", "p", "c", "l", reviewers, 3, ("m",), self.clock()
        )
        return await self.reviews.hold(replace(review, **changes), ANSWER)

    def run(self, statement: str) -> list[tuple[object, ...]]:
        with self.database.writing.begin() as connection:
            result = connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []


@pytest.fixture
async def kept(ledger_url: str, tmp_path: Path) -> AsyncIterator[Kept]:
    made = Kept(ledger_url, tmp_path)
    yield made
    await made.reviews.close()


def said(reviewer: str, *confirmed: int) -> Opinion:
    return Opinion(reviewer, 7, confirmed, "because")


async def test_gives_back_what_was_held(kept: Kept) -> None:
    held = await kept.hold()
    assert held.expires_ns == kept.clock() + 24 * HOUR
    assert await kept.reviews.get("news", "1") == held
    assert await kept.reviews.answer("news", "1") == ANSWER
    for call in (kept.reviews.get, kept.reviews.answer, kept.reviews.fetched):
        with pytest.raises(NotFound):
            await call("police", "1")


async def test_lies_there_encrypted(kept: Kept) -> None:
    await kept.hold("1")
    await kept.hold("2")
    (first,), (second,) = kept.run("SELECT answer FROM reviews ORDER BY id")
    assert b"candidates" not in bytes(first)
    assert bytes(first) != bytes(second)


@pytest.mark.parametrize(
    "change",
    [
        "answer = (SELECT answer FROM reviews AS other WHERE other.id = '2') WHERE id = '1'",
        "tenant = 'police' WHERE id = '1'",
        "candidates = 2 WHERE id = '1'",
        "answer_list = 'model' WHERE id = '1'",
    ],
)
async def test_opens_nowhere_else(kept: Kept, change: str) -> None:
    await kept.hold("1")
    await kept.hold("2")
    kept.run(f"UPDATE reviews SET {change}")
    tenant = "police" if "police" in change else "news"
    with pytest.raises(FailedPrecondition, match="changed"):
        await kept.reviews.answer(tenant, "1")


async def test_expires(kept: Kept) -> None:
    await kept.hold("1")
    kept.clock.now += 24 * HOUR - 1
    assert (await kept.reviews.get("news", "1")).state is ReviewState.PENDING
    kept.clock.now += 1
    assert (await kept.reviews.get("news", "1")).state is ReviewState.EXPIRED
    assert await kept.reviews.answer("news", "1") is None
    assert kept.run("SELECT answer FROM reviews") == [(None,)]
    with pytest.raises(FailedPrecondition, match="expired"):
        await kept.reviews.judge("news", "1", said("bob", 1))


async def test_expires_sooner_where_the_law_says_so(kept: Kept) -> None:
    held = await kept.hold("1", expires_ns=kept.clock() + HOUR)
    later = await kept.hold("2", expires_ns=kept.clock() + 25 * HOUR)
    assert held.expires_ns == kept.clock() + HOUR
    assert later.expires_ns == kept.clock() + 24 * HOUR
    await kept.reviews.judge("news", "1", said("bob", 1))
    kept.clock.now += HOUR
    assert await kept.reviews.answer("news", "1") is None
    assert await kept.reviews.answer("news", "2") == ANSWER


async def test_what_rests_on_revoked_evidence_is_deleted_at_once(kept: Kept) -> None:
    order, other = ("court", "order-1"), ("court", "order-2")
    for name in ("1", "2", "3"):
        await kept.hold(name, rests_on=(order,))
    await kept.hold("4", rests_on=(other,))
    await kept.reviews.judge("news", "2", said("bob", 1))
    assert (await kept.reviews.get("news", "1")).rests_on == (order,)
    kept.revoked = {order, ("elsewhere", "order-2")}
    for name in ("1", "2"):
        assert await kept.reviews.answer("news", name) is None
        assert (await kept.reviews.get("news", name)).state is ReviewState.EXPIRED
    assert await kept.reviews.answer("news", "4") == ANSWER
    assert kept.run("SELECT count(*) FROM reviews WHERE answer IS NOT NULL") == [(1,)]


async def test_while_nobody_knows_what_was_revoked_nothing_is_told(kept: Kept) -> None:
    await kept.hold("1", rests_on=(("court", "order-1"),))
    kept.revoked = None
    with pytest.raises(Unavailable):
        await kept.reviews.answer("news", "1")
    kept.revoked = set()
    assert await kept.reviews.answer("news", "1") == ANSWER


async def test_a_confirmed_answer_is_deleted_soon_after_it_was_fetched(kept: Kept) -> None:
    await kept.hold("1")
    await kept.reviews.judge("news", "1", said("bob", 1))
    await kept.reviews.fetched("news", "1")
    kept.clock.now += 299 * 10**9
    await kept.reviews.fetched("news", "1")
    assert await kept.reviews.answer("news", "1") == ANSWER
    kept.clock.now += 10**9
    assert await kept.reviews.answer("news", "1") is None, "fetching again keeps it no longer"
    assert (await kept.reviews.get("news", "1")).state is ReviewState.CONFIRMED


async def test_a_confirmed_answer_that_nobody_fetches_expires(kept: Kept) -> None:
    await kept.hold("1")
    await kept.reviews.judge("news", "1", said("bob", 1))
    kept.clock.now += 24 * HOUR
    assert await kept.reviews.answer("news", "1") is None


async def test_what_is_rejected_is_deleted(kept: Kept) -> None:
    await kept.hold("1", reviewers=2)
    assert (await kept.reviews.judge("news", "1", said("bob"))).state is ReviewState.REJECTED
    assert kept.run("SELECT answer FROM reviews") == [(None,)]


async def test_each_speaks_once_however_fast(kept: Kept) -> None:
    await kept.hold("1", reviewers=2)
    results = await asyncio.gather(
        *(kept.reviews.judge("news", "1", said("bob", 1)) for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(result, Review) for result in results) == 1
    assert sum(isinstance(result, FailedPrecondition) for result in results) == 7
    assert (await kept.reviews.get("news", "1")).state is ReviewState.PENDING


async def test_no_more_speak_than_are_needed(kept: Kept) -> None:
    await kept.hold("1", reviewers=2)
    results = await asyncio.gather(
        *(kept.reviews.judge("news", "1", said(f"r{n}", 1)) for n in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, Review) for result in results) == 2
    review = await kept.reviews.get("news", "1")
    assert (review.state, len(review.opinions), review.confirmed()) == (
        ReviewState.CONFIRMED,
        2,
        (1,),
    )


async def test_whoever_asked_says_nothing(kept: Kept) -> None:
    await kept.hold("1")
    with pytest.raises(Denied):
        await kept.reviews.judge("news", "1", said("alice", 1))
    for numbers in ((0,), (4,), (1, 1)):
        with pytest.raises(InvalidArgument, match="candidates"):
            await kept.reviews.judge("news", "1", said("bob", *numbers))
    assert (await kept.reviews.get("news", "1")).opinions == ()


async def test_lists_newest_first_in_pages(kept: Kept) -> None:
    for number in range(7):
        kept.clock.now += number % 2
        await kept.hold(str(number), requester="alice" if number % 3 else "carl")
    await kept.hold("other", tenant="police")
    await kept.reviews.judge("news", "3", said("bob"))

    async def ids(**options: object) -> list[str]:
        found, token = [], ""
        while True:
            page = await kept.reviews.list("news", page_size=2, page_token=token, **options)
            found += [review.id for review in page.items]
            token = page.next_token
            if not token:
                return found

    assert await ids() == ["6", "5", "4", "3", "2", "1", "0"]
    assert await ids(requester="carl") == ["6", "3", "0"]
    assert await ids(pending_only=True) == ["6", "5", "4", "2", "1", "0"]
    page = await kept.reviews.list("news", page_size=1)
    with pytest.raises(InvalidArgument, match="page_token"):
        await kept.reviews.list("police", page_size=1, page_token=page.next_token)


async def test_stays_when_opened_again(kept: Kept, ledger_url: str, tmp_path: Path) -> None:
    held = await kept.hold("1")
    await kept.reviews.close()
    with pytest.raises(Unavailable):
        await kept.reviews.get("news", "1")
    again = Kept(ledger_url, tmp_path)
    assert await again.reviews.get("news", "1") == held
    assert await again.reviews.answer("news", "1") == ANSWER
    await again.reviews.close()


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 44, b"A" * 43])
def test_what_is_no_key(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.key").write_bytes(content)
    with pytest.raises(FailedPrecondition, match="32 bytes"):
        open_box(tmp_path / "odd.key")
