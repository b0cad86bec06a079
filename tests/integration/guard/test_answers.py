"""What happens around the servicer: the ledger, obligations, errors, deadlines, concurrency."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2

from beholden.core.errors import FailedPrecondition, NotFound
from beholden.core.law import Decision, Obligation, Reason
from beholden.v1 import embedding_pb2, search_pb2
from tests.integration.guard.house import House, detail, house, reason

Code = grpc.StatusCode


def giving(answer: Message) -> Any:
    async def give(_: Message) -> Message:
        return answer

    return give


def failing(error: BaseException) -> Any:
    async def fail(_: Message) -> Message:
        raise error

    return fail


def holding(event: asyncio.Event) -> Any:
    async def hold(_: Message) -> Message:
        await event.wait()
        return search_pb2.SearchFacesResponse()

    return hold


async def until(true: Any) -> None:
    """Waits for something that must come about."""
    async with asyncio.timeout(20):
        while not true():
            await asyncio.sleep(0.005)


async def settled() -> None:
    """Lets everything run that can."""
    for _ in range(50):
        await asyncio.sleep(0.002)


def candidates(*similarities: float) -> search_pb2.SearchFacesResponse:
    return search_pb2.SearchFacesResponse(
        candidates=[{"similarity": one} for one in similarities],
        model={"name": "dlib", "version": "1"},
    )


def obliged(home: House, *obligations: Obligation) -> None:
    home.law.answer = Decision(allowed=True, revision="r4", obligations=obligations)


async def test_nothing_is_done_before_the_decision_is_durable(home: House):
    home.book.held["decision"] = asyncio.Event()
    call = asyncio.ensure_future(home.call("SearchFaces"))
    await until(lambda: home.law.asked)
    await settled()
    assert not home.reached
    home.book.held["decision"].set()
    await call
    assert home.reached


async def test_no_answer_leaves_before_its_outcome_is_durable(home: House):
    home.book.held["outcome"] = asyncio.Event()
    call = asyncio.ensure_future(home.call("SearchFaces"))
    await until(lambda: home.reached)
    await settled()
    assert not call.done()
    home.book.held["outcome"].set()
    await call


async def test_no_refusal_leaves_before_it_is_durable(home: House):
    home.law.answer = Decision(allowed=False, revision="r")
    home.book.held["decision"] = asyncio.Event()
    call = asyncio.ensure_future(home.refused("SearchFaces"))
    await until(lambda: home.law.asked)
    await settled()
    assert not call.done()
    home.book.held["decision"].set()
    assert (await call).code() is Code.PERMISSION_DENIED


async def test_the_outcome_says_what_the_caller_got(home: House):
    obliged(home, Obligation("min_similarity", 0.9), Obligation("max_results", 2))
    home.answers["SearchFaces"] = giving(candidates(0.99, 0.98, 0.9, 0.5))
    answer = await home.call("SearchFaces")
    assert [round(one.similarity, 4) for one in answer.candidates] == [0.99, 0.98]
    decided, outcome = home.book.records
    assert outcome.body == {
        "status": "OK",
        "counts": {"candidates": 2},
        "models": ["dlib@1"],
        "withheld": {"min_similarity": 1, "max_results": 1},
    }
    assert decided.body["decision"]["obligations"] == [
        {"kind": "min_similarity", "value": 0.9, "law": ""},
        {"kind": "max_results", "value": 2, "law": ""},
    ]
    assert decided.body["decision"]["revision"] == "r4"


async def test_templates_are_redacted(home: House):
    obliged(home, Obligation("redact", ["face.template"]))
    home.answers["EmbedFaces"] = giving(
        embedding_pb2.EmbedFacesResponse(faces=[{"template": [0.6, 0.8]}] * 2)
    )
    answer = await home.call("EmbedFaces")
    assert [list(face.template) for face in answer.faces] == [[], []]
    assert home.book.records[1].body["withheld"] == {"redact": 2}


@pytest.mark.parametrize(
    ("error", "code", "why"),
    [
        (NotFound("collections/c"), Code.NOT_FOUND, "RESOURCE_NOT_FOUND"),
        (
            FailedPrecondition("off", remedy="beholden models pull", reason="MODEL_OFF"),
            Code.FAILED_PRECONDITION,
            "MODEL_OFF",
        ),
    ],
)
async def test_a_domain_error_is_told_and_written(
    home: House, error: Exception, code: Any, why: str
):
    home.answers["SearchFaces"] = failing(error)
    refused = await home.refused("SearchFaces")
    assert (refused.code(), reason(refused)) == (code, why)
    decided, outcome = home.book.records
    assert outcome.body == {"status": code.name, "reason": why}
    assert dict(refused.trailing_metadata())["beholden-decision-id"] == decided.id == outcome.id


async def test_an_unknown_error_is_bare_to_the_caller_and_whole_in_the_log(
    home: House, caplog: pytest.LogCaptureFixture
):
    home.answers["SearchFaces"] = failing(ValueError("postgresql://user:secret@db"))
    with caplog.at_level(logging.ERROR):
        refused = await home.refused("SearchFaces")
    assert (refused.code(), refused.details()) == (Code.INTERNAL, "internal error")
    trailing = dict(refused.trailing_metadata())
    assert not any(b"secret" in str(value).encode() for value in trailing.values())
    [record] = [one for one in caplog.records if one.name == "beholden.guard.errors"]
    assert trailing["beholden-decision-id"] in record.getMessage()
    assert record.exc_info is not None
    assert home.book.records[1].body == {"status": "INTERNAL", "reason": ""}


async def test_an_answer_of_another_type_is_a_bug_and_not_an_answer(home: House):
    home.answers["SearchFaces"] = giving(embedding_pb2.EmbedFacesResponse())
    assert (await home.refused("SearchFaces")).code() is Code.INTERNAL


async def test_a_call_that_is_cancelled_is_written_down(home: House):
    home.answers["SearchFaces"] = holding(asyncio.Event())
    call = home.call("SearchFaces")
    await until(lambda: home.reached)
    call.cancel()
    await until(lambda: len(home.book.records) == 2)
    assert home.book.records[1].body == {"status": "CANCELLED"}
    [span] = home.spans.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["rpc.response.status_code"] == "CANCELLED"


async def test_an_outcome_is_written_though_the_caller_goes_away_meanwhile(home: House):
    home.book.held["outcome"] = asyncio.Event()
    call = home.call("SearchFaces")
    await until(lambda: home.reached)
    await settled()
    call.cancel()
    await settled()
    home.book.held["outcome"].set()
    await home.guard.drain()
    assert [one.body.get("status") for one in home.book.records] == [None, "OK"]


async def test_an_outcome_that_cannot_be_written_is_in_the_log_when_nobody_can_be_told(
    home: House, caplog: pytest.LogCaptureFixture
):
    home.book.broken = {"outcome"}
    home.answers["SearchFaces"] = holding(asyncio.Event())
    call = home.call("SearchFaces")
    await until(lambda: home.reached)
    call.cancel()
    await until(lambda: "an outcome was not written" in caplog.text)


async def test_the_servers_deadline_where_the_caller_has_none(tmp_path: Path):
    async with house(tmp_path, default_timeout=0.2) as home:
        home.answers["SearchFaces"] = holding(asyncio.Event())
        error = await home.refused("SearchFaces", timeout=None)
        assert (error.code(), reason(error)) == (Code.DEADLINE_EXCEEDED, "DEADLINE_PASSED")
        assert home.book.records[1].body == {"status": "DEADLINE_EXCEEDED"}
        assert home.reached


async def test_the_callers_deadline_is_capped(tmp_path: Path):
    async with house(tmp_path, max_timeout=0.2) as home:
        home.answers["SearchFaces"] = holding(asyncio.Event())
        error = await home.refused("SearchFaces", timeout=60)
        assert error.code() is Code.DEADLINE_EXCEEDED


async def test_a_policy_engine_that_hangs_refuses(tmp_path: Path):
    async with house(tmp_path, default_timeout=0.2) as home:

        async def hang(facts: Any) -> Any:
            await asyncio.Event().wait()

        home.law.decide = hang  # type: ignore[method-assign]
        error = await home.refused("SearchFaces", timeout=None)
        assert error.code() is Code.DEADLINE_EXCEEDED
        assert not home.reached


async def test_a_callers_own_deadline_ends_the_call(home: House):
    home.answers["SearchFaces"] = holding(asyncio.Event())
    error = await home.refused("SearchFaces", timeout=0.3)
    assert error.code() is Code.DEADLINE_EXCEEDED
    await until(lambda: len(home.book.records) == 2)


async def test_a_tenant_cannot_take_every_place(tmp_path: Path):
    async with house(tmp_path, max_in_flight_per_tenant=2) as home:
        go = asyncio.Event()
        home.answers["SearchFaces"] = holding(go)
        running = [asyncio.ensure_future(home.call("SearchFaces")) for _ in range(2)]
        await until(lambda: len(home.reached) == 2)
        error = await home.refused("DetectFaces")
        assert (error.code(), reason(error)) == (Code.RESOURCE_EXHAUSTED, "LIMIT_REACHED")
        assert detail(error, error_details_pb2.RetryInfo).retry_delay.seconds == 1
        await home.call("DetectFaces", token=home.token(tenant="metro-police"))
        go.set()
        await asyncio.gather(*running)
        await home.call("DetectFaces")


async def test_all_tenants_together_have_a_limit(tmp_path: Path):
    async with house(tmp_path, max_in_flight=1) as home:
        home.answers["SearchFaces"] = holding(asyncio.Event())
        running = home.call("SearchFaces")
        await until(lambda: home.reached)
        error = await home.refused("DetectFaces", token=home.token(tenant="metro-police"))
        assert error.code() is Code.RESOURCE_EXHAUSTED
        running.cancel()
        await until(lambda: len(home.book.records) == 2)
        await home.call("DetectFaces")


async def test_a_sender_that_never_sends_keeps_its_place_no_longer_than_its_deadline(
    tmp_path: Path,
):
    async with house(tmp_path, default_timeout=0.3, max_in_flight_per_tenant=1) as home:

        async def never() -> Any:
            await asyncio.Event().wait()
            yield b""

        ask = home.channel.stream_unary("/beholden.v1.DetectionService/DetectFaces")
        call = ask(never(), metadata=(("authorization", f"Bearer {home.token()}"),))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert refused.value.code() is Code.DEADLINE_EXCEEDED
        await home.call("DetectFaces")


async def test_a_hundred_at_once(tmp_path: Path):
    async with house(tmp_path, max_in_flight_per_tenant=200) as home:
        calls = [home.call("SearchFaces") for _ in range(100)]
        await asyncio.gather(*calls)
        ids = {dict(await call.trailing_metadata())["beholden-decision-id"] for call in calls}
        assert len(ids) == 100
        assert {record.id for record in home.book.records} == ids
        assert len(home.book.records) == 200


async def test_a_shadow_hears_every_decision_and_changes_none(tmp_path: Path):
    class Heard:
        def __init__(self) -> None:
            self.offered: list[tuple[str, Any, Decision]] = []

        def offer(self, decision_id: str, facts: Any, decision: Decision) -> None:
            self.offered.append((decision_id, facts, decision))

    heard: Any = Heard()
    async with house(tmp_path, shadow=heard) as home:
        await home.call("SearchFaces")
        home.law.answer = Decision(False, "r2", reasons=(Reason("MORATORIUM", "law"),))
        await home.refused("SearchFaces")
        recorded = [one for one in home.book.records if one.kind == "decision"]
        assert [(one[0], one[1]) for one in heard.offered] == [
            (one.id, one.body["facts"]) for one in recorded
        ]
        assert [one[2].allowed for one in heard.offered] == [True, False]
