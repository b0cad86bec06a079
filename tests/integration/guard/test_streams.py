"""Streams over a real socket: every message checked, every answer dutiful, and the law asked again."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2

from beholden.core.caller import caller
from beholden.core.errors import Unavailable
from beholden.core.law import Decision, Obligation, Reason
from beholden.guard.interceptor import DECISION_ID
from tests.integration.guard.house import House, detail, house, reason
from tests.unit.guard.protos import compiled

PROTO = """
message Said {
  string collection = 1 [(field_policy).fact = 'collection', (limits).max_length = 8];
  bytes picture = 2 [(field_policy).media = true];
}
message Item { float similarity = 1 [(field_policy).similarity = true]; }
message Told { repeated Item items = 1 [(field_policy).results = true]; repeated string media = 2; }
service Streams {
  rpc Upload(stream Said) returns (Told) { option (method_policy).action = 'trial.upload'; }
  rpc Watch(Said) returns (stream Told) { option (method_policy).action = 'trial.watch'; }
  rpc Talk(stream Said) returns (stream Told) { option (method_policy).action = 'trial.talk'; }
  rpc Cheat(Said) returns (stream Told) { option (method_policy).action = 'trial.cheat'; }
}
"""
REFUSED = Decision(False, "r2", reasons=(Reason("MORATORIUM", "noon", "Stop at noon."),))


class Trial:
    """The service's messages and servicer, which answers each message with two items and its media."""

    def __init__(self, file: Any) -> None:
        self.service = file.services_by_name["Streams"]
        self.Said, self.Told, self.Item = (
            GetMessageClass(file.message_types_by_name[name]) for name in ("Said", "Told", "Item")
        )
        self.home: House
        self.more = asyncio.Event()
        """The servicer of Watch goes on when this is set."""
        self.large = 0
        """Bytes by which each answer is larger."""

    def told(self) -> Any:
        items = [self.Item(similarity=similarity) for similarity in (0.9, 0.5)]
        return self.Told(
            items=items, media=[*caller().media, *["x" * self.large] * bool(self.large)]
        )

    async def upload(self, messages: AsyncIterator[Any], context: Any) -> Any:
        media = [one async for _ in messages for one in caller().media]
        return self.Told(items=self.told().items, media=media)

    async def watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        assert [record.kind for record in self.home.book.records] == ["decision"]
        yield self.told()
        await self.more.wait()
        yield self.told()

    async def talk(self, messages: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        async for _ in messages:
            yield self.told()

    async def cheat(self, request: Any, context: Any) -> None:
        await context.write(self.told())

    def handlers(self) -> dict[str, Any]:
        shapes = {
            "Upload": (grpc.stream_unary_rpc_method_handler, self.upload),
            "Watch": (grpc.unary_stream_rpc_method_handler, self.watch),
            "Talk": (grpc.stream_stream_rpc_method_handler, self.talk),
            "Cheat": (grpc.unary_stream_rpc_method_handler, self.cheat),
        }
        return {
            name: handler(servicer, self.Said.FromString, self.Told.SerializeToString)
            for name, (handler, servicer) in shapes.items()
        }

    def call(self, method: str, *said: Any, token: str = "") -> Any:
        """A call that has sent these, and is done sending where the method takes but one."""
        channel = self.home.channel
        shape = {"Upload": channel.stream_unary, "Talk": channel.stream_stream}
        ask = shape.get(method, channel.unary_stream)(
            f"/{self.service.full_name}/{method}",
            request_serializer=self.Said.SerializeToString,
            response_deserializer=self.Told.FromString,
        )
        metadata = (("authorization", f"Bearer {token or self.home.token()}"),)
        if method in shape:
            return ask(iter(said), metadata=metadata, timeout=20)
        return ask(*said, metadata=metadata, timeout=20)


@pytest.fixture(scope="module")
def protos(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return compiled(tmp_path_factory.mktemp("protos"), PROTO)


@asynccontextmanager
async def opened(protos: Any, folder: Path, **options: Any) -> AsyncIterator[Trial]:
    trial = Trial(protos)
    async with house(folder, more=[(trial.service, trial.handlers())], **options) as home:
        trial.home = home
        yield trial


@pytest.fixture
async def trial(protos: Any, tmp_path: Path) -> AsyncIterator[Trial]:
    async with opened(protos, tmp_path) as trial:
        yield trial


async def refused(call: Any) -> grpc.aio.AioRpcError:
    """The error that a stream ends with."""
    try:
        if not hasattr(call, "read"):
            raise AssertionError(f"answered: {await call}")
        while await call.read() is not grpc.aio.EOF:
            pass
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError(f"ended: {await call.code()}")


def similarities(told: Any) -> list[float]:
    return [round(item.similarity, 3) for item in told.items]


async def test_a_conversation(trial: Trial) -> None:
    trial.home.law.answer = Decision(True, "r1", obligations=(Obligation("min_similarity", 0.8),))
    said = [trial.Said(collection="c", picture=b"one"), trial.Said(picture=b"two")]
    call = trial.call("Talk", *said)
    answers = [told async for told in call]
    assert [similarities(told) for told in answers] == [[0.9], [0.9]]
    shas = [hashlib.sha256(picture).hexdigest() for picture in (b"one", b"two")]
    assert [list(told.media) for told in answers] == [[sha] for sha in shas]

    [asked] = trial.home.law.asked
    assert asked["request"] == {"collection": "c"}
    decided, outcome = trial.home.book.records
    assert (decided.kind, decided.allowed, decided.body["media"]) == ("decision", True, (shas[0],))
    both = hashlib.sha256(bytes.fromhex("".join(shas))).hexdigest()
    assert outcome.body == {
        "status": "OK",
        "counts": {"items": 2, "media": 2},
        "models": [],
        "withheld": {"min_similarity": 2},
        "stream": {
            "messages": 2,
            "answers": 2,
            "asked": 1,
            "pictures": {"count": 2, "sha256": both},
        },
    }
    assert dict(await call.trailing_metadata())[DECISION_ID] == decided.id == outcome.id


async def test_an_upload_is_answered_once(trial: Trial) -> None:
    trial.home.law.answer = Decision(True, "r1", obligations=(Obligation("max_results", 1),))
    said = [trial.Said(picture=bytes([number])) for number in range(5)]
    told = await trial.call("Upload", *said)
    assert similarities(told) == [0.9]
    assert list(told.media) == [hashlib.sha256(one.picture).hexdigest() for one in said]
    outcome = trial.home.book.records[-1]
    assert outcome.body["withheld"] == {"max_results": 1}
    assert outcome.body["stream"]["messages"] == 5


async def test_a_denied_stream_never_begins(trial: Trial) -> None:
    trial.home.law.answer = REFUSED
    for method in ("Upload", "Watch", "Talk"):
        error = await refused(trial.call(method, trial.Said()))
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED
        assert reason(error) == "DENIED_BY_POLICY"
    assert [one.kind for one in trial.home.book.records] == ["decision"] * 3


async def test_nobody_streams_unknown(trial: Trial) -> None:
    error = await refused(trial.call("Talk", trial.Said(), token="nonsense"))
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert not trial.home.law.asked


async def test_a_law_that_turns_ends_the_stream(trial: Trial) -> None:
    call = trial.call("Watch", trial.Said())
    assert similarities(await call.read()) == [0.9, 0.5]
    trial.home.law.turn(REFUSED)
    error = await refused(call)
    assert error.code() is grpc.StatusCode.PERMISSION_DENIED
    assert error.details() == "Stop at noon."
    first, second, outcome = trial.home.book.records
    info = detail(error, error_details_pb2.ErrorInfo)
    assert dict(info.metadata) == {
        "code": "MORATORIUM",
        "law": "noon",
        "revision": "r2",
        "decision_id": first.id,
    }
    assert (first.allowed, second.allowed, outcome.allowed) == (True, False, False)
    assert first.id == second.id == outcome.id
    assert second.body["decision"]["revision"] == "r2"
    assert second.body["rpc"] == first.body["rpc"]
    assert second.body["facts"] | {"time": 0} == first.body["facts"] | {"time": 0}
    assert outcome.body["status"] == "PERMISSION_DENIED"
    assert outcome.body["reason"] == "DENIED_BY_POLICY"
    assert (outcome.body["stream"]["answers"], outcome.body["stream"]["asked"]) == (1, 2)


async def test_later_answers_keep_later_duties(trial: Trial) -> None:
    call = trial.call("Watch", trial.Said())
    assert similarities(await call.read()) == [0.9, 0.5]
    stricter = Decision(True, "r2", obligations=(Obligation("min_similarity", 0.8),))
    trial.home.law.turn(stricter)
    while len(trial.home.book.records) < 2:
        await asyncio.sleep(0)
    trial.more.set()
    assert similarities(await call.read()) == [0.9]
    assert await call.code() is grpc.StatusCode.OK
    kinds = [
        (one.kind, one.body.get("decision", {}).get("revision")) for one in trial.home.book.records
    ]
    assert kinds == [("decision", "r1"), ("decision", "r2"), ("outcome", None)]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Unavailable("opa", "is away"), grpc.StatusCode.UNAVAILABLE),
        (RuntimeError("a bug"), grpc.StatusCode.UNAVAILABLE),
        (
            Decision(True, "r1", obligations=(Obligation("sing", 1),)),
            grpc.StatusCode.PERMISSION_DENIED,
        ),
    ],
)
async def test_a_law_that_cannot_be_kept_ends_the_stream(
    trial: Trial, answer: Any, code: grpc.StatusCode
) -> None:
    call = trial.call("Watch", trial.Said())
    await call.read()
    trial.home.law.turn(answer)
    assert (await refused(call)).code() is code
    assert trial.home.book.records[-1].body["status"] == code.name


async def test_a_refusal_is_told_while_the_first_answer_is_on_its_way(trial: Trial) -> None:
    trial.large = 1 << 20  # more than the wire takes before somebody reads
    call = trial.call("Watch", trial.Said())
    await call.initial_metadata()
    trial.home.law.turn(REFUSED)
    while len(trial.home.book.records) < 3:
        await asyncio.sleep(0)
    assert (await refused(call)).code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_second_decision_that_cannot_be_written_ends_the_stream(trial: Trial) -> None:
    call = trial.call("Watch", trial.Said())
    await call.read()
    trial.home.book.broken.add("decision")
    trial.home.law.turn(Decision(True, "r2"))
    assert (await refused(call)).code() is grpc.StatusCode.UNAVAILABLE


async def test_the_law_is_asked_again_though_nothing_changed(protos: Any, tmp_path: Path) -> None:
    async with opened(protos, tmp_path, ask_again=0.01) as trial:
        call = trial.call("Watch", trial.Said(collection="c"))
        await call.read()
        while len(trial.home.law.asked) < 4:
            await asyncio.sleep(0.01)
        trial.more.set()
        await call.read()
        assert await call.code() is grpc.StatusCode.OK
        times = [asked["time"]["ns"] for asked in trial.home.law.asked]
        assert times == sorted(times)
        decided, outcome = trial.home.book.records
        assert decided.kind == "decision"
        assert outcome.body["stream"]["asked"] >= 4


async def test_every_message_is_checked(trial: Trial) -> None:
    good = trial.Said(collection="c")
    for method in ("Upload", "Talk"):
        error = await refused(trial.call(method, good, good, trial.Said(collection="c" * 9)))
        violations = detail(error, error_details_pb2.BadRequest).field_violations
        assert [one.field for one in violations] == ["messages[2].collection"]
        assert trial.home.book.records[-1].body["status"] == "INVALID_ARGUMENT"


async def test_what_was_asked_about_cannot_be_changed_later(trial: Trial) -> None:
    same = trial.Said(collection="c")
    error = await refused(trial.call("Upload", same, same, trial.Said(collection="police")))
    [violation] = detail(error, error_details_pb2.BadRequest).field_violations
    assert violation.field == "messages[2].collection"
    assert "first message" in violation.description
    error = await refused(trial.call("Upload", trial.Said(), same))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_message_too_large_is_no_end(protos: Any, tmp_path: Path) -> None:
    async with opened(protos, tmp_path, max_picture_request_bytes=1024) as trial:
        large = trial.Said(picture=b"x" * 2000)
        error = await refused(trial.call("Upload", trial.Said(), large))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        beyond_grpc = trial.Said(picture=b"x" * (33 * 1024 * 1024))
        error = await refused(trial.call("Upload", trial.Said(), beyond_grpc))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_caller_who_falls_silent(protos: Any, tmp_path: Path) -> None:
    async with opened(protos, tmp_path, stream_idle_timeout=0.05) as trial:
        call = trial.home.channel.stream_stream(f"/{trial.service.full_name}/Talk")(
            metadata=(("authorization", f"Bearer {trial.home.token()}"),)
        )
        await call.write(b"")
        assert await call.read()
        error = await refused(call)
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert "nothing came" in (error.details() or "")


async def test_a_caller_who_never_begins(protos: Any, tmp_path: Path) -> None:
    async with opened(protos, tmp_path, stream_idle_timeout=0.05) as trial:
        call = trial.home.channel.stream_stream(f"/{trial.service.full_name}/Talk")(
            metadata=(("authorization", f"Bearer {trial.home.token()}"),)
        )
        error = await refused(call)
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert not trial.home.law.asked


async def test_a_caller_who_reads_nothing(protos: Any, tmp_path: Path) -> None:
    """Flow control holds the answers back, and the stream ends all the same."""
    async with opened(protos, tmp_path, stream_idle_timeout=0.3) as trial:
        trial.large = 4 * 2**20
        call = trial.call("Talk", *[trial.Said()] * 20)
        while len(trial.home.book.records) < 2:
            await asyncio.sleep(0.02)
        outcome = trial.home.book.records[-1]
        assert outcome.body["status"] == "DEADLINE_EXCEEDED"
        assert outcome.body["stream"]["messages"] < 20
        call.cancel()


async def test_a_stream_ends_with_its_callers_token(trial: Trial) -> None:
    """The token's end is a whole second, less than one away."""
    token = trial.home.token(lifetime=1)
    error = await refused(trial.call("Watch", trial.Said(), token=token))
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason(error) == "TOKEN_INVALID"
    assert "expired while the stream lasted" in (error.details() or "")
    assert trial.home.book.records[-1].body["status"] == "UNAUTHENTICATED"


async def test_a_stream_lasts_only_so_long(protos: Any, tmp_path: Path) -> None:
    async with opened(protos, tmp_path, max_stream_timeout=0.05) as trial:
        call = trial.call("Watch", trial.Said())
        assert (await refused(call)).code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert trial.home.book.records[-1].body["status"] == "DEADLINE_EXCEEDED"


async def test_a_caller_who_goes_away(trial: Trial) -> None:
    call = trial.call("Watch", trial.Said())
    await call.read()
    call.cancel()
    while len(trial.home.book.records) < 2:
        await asyncio.sleep(0)
    outcome = trial.home.book.records[-1]
    assert (outcome.body["status"], outcome.body["stream"]["answers"]) == ("CANCELLED", 1)


async def test_answers_do_not_go_around_the_guard(trial: Trial) -> None:
    error = await refused(trial.call("Cheat", trial.Said()))
    assert error.code() is grpc.StatusCode.INTERNAL
