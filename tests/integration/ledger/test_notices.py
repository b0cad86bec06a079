"""Notices: owed with the decision or not at all, delivered at least once, signed, and without biometrics."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from beholden.core.errors import FailedPrecondition, Unavailable
from beholden.core.notice import Notice
from beholden.core.record import OUTCOME, Record
from beholden.ledger import outbox
from beholden.ledger.database import connect
from beholden.ledger.open import open_notices
from beholden.ledger.settings import NoticeSettings
from beholden.ledger.webhook import open_secret, signature
from tests.contract.ledgers import ledger_settings, opened, record

TO = ["data_protection_authority", "market_surveillance_authority"]
AUTHORISATION = {
    "id": "urgent-1",
    "issuer": "https://duty.example",
    "urgent": True,
    "issued": "2026-11-22T00:00:00Z",
    "expires": "2026-11-23T00:00:00Z",
    "collections": ["collections/wanted"],
}


class Receiver:
    """An authority's door: answers with the statuses it is given, then 204, and keeps what came."""

    def __init__(self, *statuses: int) -> None:
        self.came: list[tuple[dict[str, str], bytes]] = []
        statuses_left = list(statuses)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805
                body = handler.rfile.read(int(handler.headers["content-length"]))
                self.came.append((dict(handler.headers), body))
                handler.send_response(statuses_left.pop(0) if statuses_left else 204)
                handler.send_header("location", "/elsewhere")
                handler.send_header("content-length", "0")
                handler.end_headers()

            def log_message(handler, *_: object) -> None:  # noqa: N805
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/notices"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    made = Receiver(*getattr(request, "param", ()))
    yield made
    made.close()


def owing(**changes: Any) -> Record:
    """A decision that two authorities are to be told of."""
    facts = {
        "principal": {"id": "alice"},
        "tenant": {
            "id": "questura",
            "kind": "police_department",
            "name": "Q",
            "jurisdiction": "IT",
        },
        "purpose": "imminent_threat",
        "jurisdiction": "IT-RM",
        "on_behalf_of": "",
        "case": "secret case",
        "realtime": "yes",
        "public_space": "yes",
        "evidence": {"authorisation": AUTHORISATION},
        "request": {"collection": "collections/wanted"},
    }
    obligations = [
        {"kind": "notify", "value": [name], "law": "eu-ai-act/notification"} for name in TO
    ]
    decision = {"obligations": obligations, "exemptions": ["eu/threat"], "revision": "r1"}
    body = {
        "facts": facts,
        "media": ["ab" * 32],
        "decision": decision,
        "delete_by": "2026-11-23T00:00:00Z",
    }
    return record("questura", **{"body": body, **changes})


def kept(url: str) -> tuple[Notice, ...]:
    database = connect(url, ledger_settings(url))
    try:
        with database.reading.connect() as connection:
            return outbox.read_notices(connection, waiting_only=False, most=100)
    finally:
        database.writing.dispose()


@asynccontextmanager
async def delivering(url: str, to: str, folder: Path) -> AsyncIterator[NoticeSettings]:
    settings = NoticeSettings(url=to, key_file=folder / "notices.key", poll_seconds=0.02)
    notices = await open_notices(url, ledger_settings(url), settings)
    try:
        yield settings
    finally:
        await notices.close()


async def until_delivered(url: str) -> tuple[Notice, ...]:
    for _ in range(500):
        notices = await asyncio.to_thread(kept, url)
        if all(notice.delivered_ns for notice in notices):
            return notices
        await asyncio.sleep(0.02)
    raise AssertionError(f"not delivered: {notices}")


async def test_what_is_told_and_what_is_not(
    ledger_url: str, receiver: Receiver, tmp_path: Path
) -> None:
    asked = owing()
    async with opened(ledger_url) as ledger:
        await ledger.append(asked)
    async with delivering(ledger_url, receiver.url, tmp_path) as settings:
        (notice,) = await until_delivered(ledger_url)
    ((headers, body),) = receiver.came
    told = json.loads(body)
    assert told == dict(notice.body)
    assert told["to"] == TO
    assert (told["decision"], told["purpose"], told["delete_by"]) == (
        asked.id,
        "imminent_threat",
        "2026-11-23T00:00:00Z",
    )
    assert told["authorisation"]["urgent"] is True
    assert told["tenant"] == {"id": "questura", "kind": "police_department", "jurisdiction": "IT"}
    for hidden in (b"alice", b"secret case", b"wanted", b"abab"):
        assert hidden not in body
    sent = {name.lower(): value for name, value in headers.items()}
    assert sent["webhook-id"] == notice.id
    secret = open_secret(settings.key_file)
    moment = int(sent["webhook-timestamp"])
    assert sent["webhook-signature"] == signature(secret, notice.id, moment, body.decode())


async def test_only_an_allowed_decision_that_owes_one_has_one(ledger_url: str) -> None:
    async with opened(ledger_url) as ledger:
        await ledger.append(record())
        await ledger.append(owing(allowed=False))
        await ledger.append(owing(kind=OUTCOME))
        assert await asyncio.to_thread(kept, ledger_url) == ()
        await ledger.append(owing())
    assert len(await asyncio.to_thread(kept, ledger_url)) == 1


async def test_both_are_written_or_neither(ledger_url: str) -> None:
    """A notice that cannot be written takes its decision with it."""
    first = owing(id=str(uuid.uuid4()))
    async with opened(ledger_url) as ledger:
        await ledger.append(first)
        with pytest.raises(Unavailable):
            await ledger.append(first)
        assert len(await ledger.get("questura", first.id)) == 1
        await ledger.append(owing())
        assert (await ledger.verify()).holds
    assert len(await asyncio.to_thread(kept, ledger_url)) == 2


@pytest.mark.parametrize("receiver", [(500, 302)], indirect=True)
async def test_is_sent_until_it_is_taken_under_the_same_id(
    ledger_url: str, receiver: Receiver, tmp_path: Path
) -> None:
    async with opened(ledger_url) as ledger:
        await ledger.append(owing())
    async with delivering(ledger_url, receiver.url, tmp_path):
        for problem in ("HTTP 500", "HTTP 302"):
            while (notice := kept(ledger_url)[0]).problem != problem:
                await asyncio.sleep(0.02)
            assert notice.delivered_ns == 0
            await asyncio.to_thread(_make_due, ledger_url)
        (notice,) = await until_delivered(ledger_url)
    assert (notice.attempts, notice.problem) == (3, "")
    assert len({headers["webhook-id"] for headers, _ in receiver.came}) == 1


async def test_what_its_sender_left_undone_is_sent_by_another(
    ledger_url: str, receiver: Receiver, tmp_path: Path
) -> None:
    async with opened(ledger_url) as ledger:
        await ledger.append(owing())
    nobody = "http://127.0.0.1:9/"
    async with delivering(ledger_url, nobody, tmp_path):
        while not kept(ledger_url)[0].problem:
            await asyncio.sleep(0.02)
    assert receiver.came == []
    await asyncio.to_thread(_make_due, ledger_url)
    async with (
        delivering(ledger_url, receiver.url, tmp_path),
        delivering(ledger_url, receiver.url, tmp_path),
    ):
        await until_delivered(ledger_url)
    assert len(receiver.came) == 1


def _make_due(url: str) -> None:
    database = connect(url, ledger_settings(url))
    with database.writing.begin() as connection:
        connection.execute(text("UPDATE notices SET due_ns = 0"))
    database.writing.dispose()


def test_delivered_ones_are_forgotten_in_time(ledger_url: str) -> None:
    database = connect(ledger_url, ledger_settings(ledger_url))
    with database.writing.begin() as connection:
        for number in range(3):
            row = outbox.notice_of(owing(time_ns=number))
            connection.execute(outbox.NOTICES.insert(), row)
        ids = [notice.id for notice in outbox.read_notices(connection, waiting_only=True, most=9)]
        assert len(ids) == 3
        outbox.delivered(connection, ids[0], 10)
        outbox.delivered(connection, ids[1], 20)
        outbox.forget(connection, 15)
        left = outbox.read_notices(connection, waiting_only=False, most=9)
        assert [notice.id for notice in left] == ids[1:]
        assert [
            one.id for one in outbox.read_notices(connection, waiting_only=True, most=9)
        ] == ids[2:]
    database.writing.dispose()


@pytest.mark.parametrize("url", ["http://example.com/", "ftp://127.0.0.1/", "notices", "https://"])
def test_where_notices_may_not_go(url: str) -> None:
    with pytest.raises(ValidationError, match="https address"):
        NoticeSettings(url=url)


@pytest.mark.parametrize("content", [b"", b"whsec_", b"whsec_AAAA", b"A" * 44, b"\xff" * 50])
def test_what_is_no_secret(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.key").write_bytes(content)
    with pytest.raises(FailedPrecondition, match="webhook secret"):
        open_secret(tmp_path / "odd.key")
