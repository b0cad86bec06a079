"""The AI Act's urgency, whole: begun on the spot, told to the authorities, deleted in a day or at once."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
import pytest

from beholden.core.law import Decision, Obligation
from beholden.core.review import Opinion, ReviewState
from beholden.guard.authorities import Authorities, read_authorities
from beholden.guard.minting import mint_evidence
from beholden.guard.tokens import mint
from beholden.ledger.database import connect
from beholden.ledger.reviews import SqlReviews
from beholden.ledger.sealed_box import open_box
from beholden.ledger.settings import ReviewSettings
from beholden.policy.cases import load_cases
from beholden.v1 import search_pb2
from tests.cases.test_over_grpc import FACE, SIGNER
from tests.contract.ledgers import ledger_settings, opened
from tests.contract.policy_engines import POLICIES
from tests.contract.policy_engines import law as shipped
from tests.contract.policy_engines import opened as engine_opened
from tests.integration.guard.house import KEY, House, house
from tests.integration.ledger.test_notices import Receiver, delivering, until_delivered

CASES = load_cases(POLICIES / "cases" / "eu-ai-act.yaml")
START = int(datetime.fromisoformat("2026-11-22T00:30:00Z").timestamp())
MIDNIGHT = START - 1800
DAY = 24 * 3600
TO = ["authorising_authority", "data_protection_authority", "market_surveillance_authority"]


@dataclass
class Station:
    """A police station in the Union, its clock (Unix seconds), and what the authorities have."""

    home: House
    url: str
    receiver: Receiver
    folder: Path
    reviews: SqlReviews = field(init=False)
    now: int = START
    revoked: frozenset[tuple[str, str]] = frozenset()

    def clock(self) -> int:
        return self.now * 10**9

    def authorities(self) -> Authorities:
        issuers: Any = CASES.law["issuers"]
        known = read_authorities(issuers, {})
        return Authorities(known.issuers, self.revoked)

    async def search(self) -> tuple[search_pb2.SearchFacesResponse, dict[str, str]]:
        """A live search in public for an imminent threat, on the officer's word."""
        order = mint_evidence(
            SIGNER,
            "authorisation",
            issuer="https://duty.example",
            tenant="questura",
            id="urgent-7",
            scope={"actions": ["*"], "purposes": ["imminent_threat"], "collections": ["*"]},
            lifetime=DAY,
            urgent=True,
            now=MIDNIGHT,
        )
        call = self.home.call(
            "SearchFaces",
            search_pb2.SearchFacesRequest(name=f"collections/wanted/faces/{FACE}"),
            token=mint(KEY, principal="ada", tenant="questura", now=self.now),
            metadata=[
                ("beholden-purpose", "imminent_threat"),
                ("beholden-realtime", "yes"),
                ("beholden-public-space", "yes"),
                ("beholden-authorisation", order),
            ],
        )
        answer = await call
        return answer, {key: str(value) for key, value in await call.trailing_metadata()}


@pytest.fixture
async def station(tmp_path: Path) -> AsyncIterator[Station]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    receiver = Receiver()
    made: Any = Station(None, url, receiver, tmp_path)  # type: ignore[arg-type]
    async with (
        engine_opened("rego", CASES.under(shipped()), tmp_path) as engine,
        opened(url) as ledger,
    ):
        made.reviews = SqlReviews(
            connect(url, ledger_settings(url)),
            open_box(tmp_path / "reviews.key"),
            ReviewSettings(key_file=tmp_path / "reviews.key", sweep_seconds=3600),
            lambda: made.authorities().revoked,
            made.clock,
        )
        guarding = {
            "policy": engine,
            "ledger": ledger,
            "tenants": {one.id: one.facts() for one in CASES.tenants},
            "authorities": made.authorities,
            "reviews": made.reviews,
            "notifies": True,
            "clock": made.clock,
        }
        async with house(tmp_path, guarding=guarding) as home:
            made.home = home

            async def found(_: object) -> search_pb2.SearchFacesResponse:
                return search_pb2.SearchFacesResponse(candidates=[{"similarity": 0.995}])

            home.answers["SearchFaces"] = found
            yield made
        await made.reviews.close()
    receiver.close()


async def test_it_waits_for_people_is_told_and_is_gone_after_the_day(station: Station) -> None:
    answer, trailing = await station.search()
    assert not answer.candidates
    assert trailing["beholden-delete-by"] == "2026-11-23T00:00:00Z"
    [(_, _, caller)] = station.home.reached
    assert caller.delete_by_ns == (MIDNIGHT + DAY) * 10**9

    async with delivering(station.url, station.receiver.url, station.folder):
        await until_delivered(station.url)
    ((_, body),) = station.receiver.came
    told = json.loads(body)
    assert told["to"] == TO
    assert told["delete_by"] == "2026-11-23T00:00:00Z"
    assert told["authorisation"]["id"] == "urgent-7"
    assert told["decision"] == trailing["beholden-decision-id"]
    assert b"wanted" not in body

    name = answer.review.removeprefix("reviews/")
    review = await station.reviews.judge("questura", name, Opinion("bob", 1, (1,), "it is he"))
    assert (review.state, review.rests_on) == (
        ReviewState.CONFIRMED,
        (("https://duty.example", "urgent-7"),),
    )
    assert await station.reviews.answer("questura", name) is not None
    station.now = MIDNIGHT + DAY
    assert await station.reviews.answer("questura", name) is None


async def test_what_the_authority_refuses_stops_and_is_deleted(station: Station) -> None:
    answer, _ = await station.search()
    name = answer.review.removeprefix("reviews/")
    assert await station.reviews.answer("questura", name) is not None
    station.revoked = frozenset({("https://duty.example", "urgent-7")})
    assert await station.reviews.answer("questura", name) is None
    assert (await station.reviews.get("questura", name)).state is ReviewState.EXPIRED
    with pytest.raises(grpc.aio.AioRpcError, match="is revoked"):
        await station.search()


async def test_without_anybody_to_tell_it_is_not_begun(tmp_path: Path) -> None:
    asked = Decision(True, "r1", obligations=(Obligation("notify", TO, law="eu-ai-act/urgency"),))
    async with house(tmp_path) as home:
        home.law.answer = asked
        error = await home.refused("SearchFaces")
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED
        assert "BEHOLDEN_NOTICES__URL" in str(error.details())
        assert not home.reached
