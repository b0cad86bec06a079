"""Reviews over the ledger's database: the answer encrypted, opinions beside it, old ones swept."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Container, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event, Thread
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, and_, insert, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError

from beholden.core.errors import NotFound, Unavailable
from beholden.core.gallery import Page
from beholden.core.paging import check_page_size, decode_token, encode_token
from beholden.core.review import HeldAnswer, Opinion, Review, ReviewState, judged
from beholden.ledger.database import Database, unavailable
from beholden.ledger.sealed_box import SealedBox
from beholden.ledger.settings import ReviewSettings
from beholden.ledger.tables import OPINIONS, REVIEWS

T = TypeVar("T")

Revoked = Callable[[], Container[tuple[str, str]]]

_PLACE = (REVIEWS.c.created_ns, REVIEWS.c.id)
_DELETED = (ReviewState.REJECTED, ReviewState.EXPIRED)

_log = logging.getLogger(__name__)


class SqlReviews:
    """See `core.ports.Reviews`. `clock` is Unix time in nanoseconds.

    `revoked` says which evidence was revoked, by issuer and id; while it raises Unavailable, nothing
    that rests on evidence is given out.
    """

    def __init__(
        self,
        database: Database,
        box: SealedBox,
        settings: ReviewSettings,
        revoked: Revoked,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._revoked = revoked
        self._database = database
        self._box = box
        self._settings = settings
        self._clock = clock
        self._threads = ThreadPoolExecutor(2, "reviews")
        self._closing = Event()
        self._sweeper = Thread(target=self._sweep_on, name="reviews-sweep", daemon=True)
        self._sweeper.start()

    async def hold(self, review: Review, answer: HeldAnswer) -> Review:
        """Durable on return; answers the review with its expiry, the one that it has or sooner."""
        latest = review.created_ns + int(self._settings.hours * 3600e9)
        held = replace(review, expires_ns=min(review.expires_ns or latest, latest))
        row = {
            **{name: getattr(held, name) for name in _COLUMNS},
            "case_id": held.case,
            "media": json.dumps(held.media),
            "state": held.state.value,
            "answer_type": answer.type,
            "answer_list": answer.candidates,
            "answer": self._box.seal(answer.content, _label(held, answer)),
            "rests_on": json.dumps(held.rests_on),
        }
        await self._do(lambda connection: connection.execute(insert(REVIEWS), row))
        return held

    async def get(self, tenant: str, id: str) -> Review:
        """Raises NotFound."""
        return await self._do(lambda connection: self._read(connection, tenant, id)[0])

    async def list(
        self,
        tenant: str,
        *,
        requester: str = "",
        pending_only: bool = False,
        page_size: int,
        page_token: str = "",
    ) -> Page[Review]:
        """A tenant's, or one requester's there, newest first. Raises InvalidArgument (page token)."""
        size = check_page_size(page_size, self._settings.max_page)
        listing = ("reviews", tenant, requester, "pending" if pending_only else "all")
        conditions = [REVIEWS.c.tenant == tenant]
        if requester:
            conditions.append(REVIEWS.c.requester == requester)
        if pending_only:
            conditions.append(REVIEWS.c.state == ReviewState.PENDING.value)
        if page_token:
            conditions.append(tuple_(*_PLACE) < tuple_(*decode_token(listing, page_token)))
        newest = [column.desc() for column in _PLACE]
        query = select(REVIEWS).where(and_(*conditions)).order_by(*newest).limit(size + 1)

        def read(connection: Connection) -> tuple[Review, ...]:
            self._sweep(connection)
            rows = connection.execute(query).all()
            return tuple(_review(row, _opinions(connection, row.id)) for row in rows)

        found = await self._do(read)
        if len(found) <= size:
            return Page(found)
        last = found[size - 1]
        return Page(found[:size], encode_token(listing, (last.created_ns, last.id)))

    async def answer(self, tenant: str, id: str) -> HeldAnswer | None:
        """What is withheld; None once it is deleted. Raises NotFound, FailedPrecondition (damaged)."""
        return await self._do(lambda connection: self._answer(connection, tenant, id))

    async def judge(self, tenant: str, id: str, opinion: Opinion) -> Review:
        """Adds an opinion; an answer that is rejected is deleted. Raises what `judged` raises."""

        def add(connection: Connection) -> Review:
            review, _ = self._read(connection, tenant, id)
            after = judged(review, opinion)
            connection.execute(
                insert(OPINIONS),
                {
                    "review": id,
                    "reviewer": opinion.reviewer,
                    "time_ns": opinion.time_ns,
                    "confirmed": json.dumps(opinion.confirmed),
                    "reason": opinion.reason,
                },
            )
            changes: dict[str, Any] = {"state": after.state.value}
            if after.state in _DELETED:
                changes["answer"] = None
            connection.execute(update(REVIEWS).where(REVIEWS.c.id == id).values(**changes))
            return after

        return await self._do(add)

    async def fetched(self, tenant: str, id: str) -> None:
        """The requester has the answer: it is deleted after `fetch_seconds`."""

        def shorten(connection: Connection) -> None:
            review, _ = self._read(connection, tenant, id)
            soon = self._clock() + int(self._settings.fetch_seconds * 1e9)
            if soon < review.expires_ns:
                connection.execute(
                    update(REVIEWS).where(REVIEWS.c.id == id).values(expires_ns=soon)
                )

        await self._do(shorten)

    async def close(self) -> None:
        """Lets go; further calls raise Unavailable."""
        self._closing.set()
        await asyncio.to_thread(self._sweeper.join)
        await asyncio.to_thread(self._threads.shutdown)
        await asyncio.to_thread(self._database.writing.dispose)

    async def _do(self, work: Callable[[Connection], T]) -> T:
        if self._closing.is_set():
            raise Unavailable("reviews", "are closed")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._doing, work)

    def _doing(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._database.writing.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise unavailable(error) from error

    def _read(self, connection: Connection, tenant: str, id: str) -> tuple[Review, Row[Any]]:
        """Swept first, and locked, so that what is read is what is acted on."""
        self._sweep(connection)
        row = connection.execute(
            select(REVIEWS).where(REVIEWS.c.id == id, REVIEWS.c.tenant == tenant).with_for_update()
        ).one_or_none()
        if row is None:
            raise NotFound(f"reviews/{id}")
        return _review(row, _opinions(connection, id)), row

    def _answer(self, connection: Connection, tenant: str, id: str) -> HeldAnswer | None:
        review, row = self._read(connection, tenant, id)
        if row.answer is None:
            return None
        held = HeldAnswer(row.answer_type, row.answer_list, b"")
        return replace(held, content=self._box.open(bytes(row.answer), _label(review, held)))

    def _sweep(self, connection: Connection) -> None:
        self._sweep_old(connection)
        self._sweep_revoked(connection)

    def _sweep_old(self, connection: Connection) -> None:
        now = self._clock()
        pending = REVIEWS.c.state == ReviewState.PENDING.value
        connection.execute(
            update(REVIEWS)
            .where(REVIEWS.c.expires_ns <= now, pending)
            .values(state=ReviewState.EXPIRED.value, answer=None)
        )
        connection.execute(
            update(REVIEWS)
            .where(REVIEWS.c.expires_ns <= now, REVIEWS.c.answer.is_not(None))
            .values(answer=None)
        )

    def _sweep_revoked(self, connection: Connection) -> None:
        """Expires at once what rests on evidence that was revoked since."""
        found = connection.execute(
            select(REVIEWS.c.id, REVIEWS.c.rests_on).where(
                REVIEWS.c.answer.is_not(None), REVIEWS.c.rests_on != "[]"
            )
        ).all()
        if not found:
            return
        revoked = self._revoked()
        ids = [
            row.id
            for row in found
            if any(tuple(one) in revoked for one in json.loads(row.rests_on))
        ]
        if ids:
            connection.execute(
                update(REVIEWS)
                .where(REVIEWS.c.id.in_(ids))
                .values(state=ReviewState.EXPIRED.value, answer=None)
            )

    def _sweep_on(self) -> None:
        while True:
            try:
                # Each by itself: while revocations cannot be read, what is old goes all the same.
                with self._database.writing.begin() as connection:
                    self._sweep_old(connection)
                with self._database.writing.begin() as connection:
                    self._sweep_revoked(connection)
            except (SQLAlchemyError, Unavailable) as error:
                _log.error("expired reviews could not be deleted: %s", type(error).__name__)
            if self._closing.wait(self._settings.sweep_seconds):
                return


_COLUMNS = (
    "id",
    "tenant",
    "requester",
    "action",
    "purpose",
    "law",
    "reviewers",
    "candidates",
    "created_ns",
    "expires_ns",
)


def _label(review: Review, answer: HeldAnswer) -> str:
    return json.dumps([review.tenant, review.id, review.candidates, answer.type, answer.candidates])


def _opinions(connection: Connection, id: str) -> Iterable[Row[Any]]:
    query = select(OPINIONS).where(OPINIONS.c.review == id)
    return connection.execute(query.order_by(OPINIONS.c.time_ns, OPINIONS.c.reviewer)).all()


def _review(row: Row[Any], opinions: Iterable[Row[Any]]) -> Review:
    return Review(
        **{name: getattr(row, name) for name in _COLUMNS},
        case=row.case_id,
        media=tuple(json.loads(row.media)),
        rests_on=tuple((issuer, name) for issuer, name in json.loads(row.rests_on)),
        state=ReviewState(row.state),
        opinions=tuple(
            Opinion(one.reviewer, one.time_ns, tuple(json.loads(one.confirmed)), one.reason)
            for one in opinions
        ),
    )
