# ruff: noqa: N802 - methods are called as the protos call them
"""A real server that fails in scripted ways: what the client makes of each."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from beholden.cli.client import Client
from beholden.cli.failures import ExitCode, Failure
from beholden.v1 import search_pb2, search_pb2_grpc

Script = list[status_pb2.Status | None]


class Scripted(search_pb2_grpc.SearchServiceServicer):
    """Fails each call as the next line of the script says, then answers."""

    def __init__(self, script: Script) -> None:
        self.script = list(script)
        self.calls: Counter[str] = Counter()
        self.metadata: dict[str, Any] = {}
        self.lock = threading.Lock()

    def _next(self, context: grpc.ServicerContext, name: str) -> None:
        with self.lock:
            self.calls[name] += 1
            status = self.script.pop(0) if self.script else None
        self.metadata = dict(context.invocation_metadata())
        context.set_trailing_metadata((("beholden-decision-id", "d-1"),))
        if status is not None:
            told = rpc_status.to_status(status)
            context.abort_with_status(_Told(told, (("beholden-decision-id", "d-1"),)))

    def GetCollection(self, request: Any, context: Any) -> Any:
        self._next(context, "GetCollection")
        return search_pb2.GetCollectionResponse()

    def CreateCollection(self, request: Any, context: Any) -> Any:
        self._next(context, "CreateCollection")
        return search_pb2.CreateCollectionResponse()

    def ListCollections(self, request: Any, context: Any) -> Any:
        self._next(context, "ListCollections")
        page = int(request.page_token or 0)
        return search_pb2.ListCollectionsResponse(
            collections=[{"name": f"collections/{page}"}],
            next_page_token=str(page + 1) if page < 2 else "",
        )


class _Told(grpc.Status):
    def __init__(self, told: Any, more: tuple[tuple[str, str], ...]) -> None:
        self.code, self.details = told.code, told.details
        self.trailing_metadata = (*told.trailing_metadata, *more)


@contextmanager
def serving(script: Script, timeout: float = 10) -> Iterator[tuple[Scripted, Client]]:
    servicer = Scripted(script)
    server = grpc.server(ThreadPoolExecutor(4))
    search_pb2_grpc.add_SearchServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with Client(f"127.0.0.1:{port}", [("beholden-purpose", "x")], timeout) as client:
            yield servicer, client
    finally:
        server.stop(None)


def status(code: grpc.StatusCode, *details: Any) -> status_pb2.Status:
    packed = []
    for detail in details:
        one = AnyMessage()
        one.Pack(detail)
        packed.append(one)
    return status_pb2.Status(code=code.value[0], message="said", details=packed)


def info(reason: str, **metadata: str) -> error_details_pb2.ErrorInfo:
    return error_details_pb2.ErrorInfo(reason=reason, domain="beholden.dev", metadata=metadata)


BUSY = status(
    grpc.StatusCode.UNAVAILABLE,
    info("ENGINE_UNAVAILABLE"),
    error_details_pb2.RetryInfo(retry_delay=Duration(nanos=500_000_000)),
)


def get(client: Client) -> Any:
    return client.call(
        client.stub(search_pb2_grpc.SearchServiceStub).GetCollection,
        search_pb2.GetCollectionRequest(name="collections/a"),
    )


def create(client: Client) -> Any:
    return client.call(
        client.stub(search_pb2_grpc.SearchServiceStub).CreateCollection,
        search_pb2.CreateCollectionRequest(collection_id="a"),
    )


def test_an_answer_carries_its_decision_and_the_call_its_metadata() -> None:
    with serving([]) as (servicer, client):
        assert get(client).decision_id == "d-1"
        assert servicer.metadata["beholden-purpose"] == "x"


def test_a_read_is_tried_again_while_the_server_is_busy() -> None:
    with serving([BUSY, BUSY]) as (servicer, client):
        get(client)
        assert servicer.calls["GetCollection"] == 3


def test_a_write_is_not_tried_again() -> None:
    with serving([BUSY]) as (servicer, client):
        with pytest.raises(Failure) as caught:
            create(client)
        assert servicer.calls["CreateCollection"] == 1
    assert caught.value.exit_code is ExitCode.UNAVAILABLE
    assert caught.value.retry_after == 0.5


def test_a_read_gives_up_in_the_end() -> None:
    with serving([BUSY] * 9) as (servicer, client):
        with pytest.raises(Failure) as caught:
            get(client)
        assert 1 < servicer.calls["GetCollection"] < 9
    assert caught.value.reason == "ENGINE_UNAVAILABLE"


def test_every_page_is_asked_for() -> None:
    with serving([]) as (_, client):
        stub = client.stub(search_pb2_grpc.SearchServiceStub)
        pages = client.pages(stub.ListCollections, search_pb2.ListCollectionsRequest())
        assert [page.collections[0].name for page in pages] == [
            "collections/0",
            "collections/1",
            "collections/2",
        ]


def test_a_refusal_names_law_dates_and_decision() -> None:
    said = {"law": "a/b", "since": "2020-06-10", "lifted_by": "an exemption"}
    denied = status(
        grpc.StatusCode.PERMISSION_DENIED,
        info("DENIED_BY_POLICY", **said),
        error_details_pb2.PreconditionFailure(
            violations=[
                {"type": "X", "subject": "a/b", "description": "first"},
                {"type": "Y", "subject": "c/d", "description": "second"},
            ]
        ),
    )
    with serving([denied]) as (_, client), pytest.raises(Failure) as caught:
        get(client)
    failure = caught.value
    assert failure.exit_code is ExitCode.REFUSED
    assert failure.details == said
    assert failure.laws == (("a/b", "first"), ("c/d", "second"))
    assert failure.decision_id == "d-1"
    document = failure.document()["error"]
    assert document["details"] == said
    assert document["decision_id"] == "d-1"
    assert "retry_after" not in document


def test_a_wrong_request_names_its_fields() -> None:
    wrong = status(
        grpc.StatusCode.INVALID_ARGUMENT,
        info("INVALID_FIELD"),
        error_details_pb2.BadRequest(field_violations=[{"field": "name", "description": "is odd"}]),
    )
    with serving([wrong]) as (_, client), pytest.raises(Failure) as caught:
        get(client)
    assert caught.value.exit_code is ExitCode.USAGE
    assert caught.value.fields == (("name", "is odd"),)


@pytest.mark.parametrize(
    ("code", "reason", "exit_code"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING", ExitCode.UNAUTHENTICATED),
        (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND", ExitCode.FAILED),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_REACHED", ExitCode.UNAVAILABLE),
        (grpc.StatusCode.FAILED_PRECONDITION, "MODEL_OFF", ExitCode.FAILED),
        (grpc.StatusCode.INTERNAL, "", ExitCode.FAILED),
        (grpc.StatusCode.UNIMPLEMENTED, "", ExitCode.FAILED),
    ],
)
def test_each_status_has_its_exit_code(
    code: grpc.StatusCode, reason: str, exit_code: ExitCode
) -> None:
    details = [info(reason)] if reason else []
    with serving([status(code, *details)]) as (_, client), pytest.raises(Failure) as caught:
        create(client)
    assert caught.value.exit_code is exit_code
    assert caught.value.status == code.name


def test_details_that_contradict_the_status_are_not_believed() -> None:
    lie = status(grpc.StatusCode.PERMISSION_DENIED, info("DENIED_BY_POLICY", law="a/b"))

    class Lying(Scripted):
        def GetCollection(self, request: Any, context: Any) -> Any:
            told = _Told(rpc_status.to_status(lie), ())
            told.code = grpc.StatusCode.NOT_FOUND
            context.abort_with_status(told)

    server = grpc.server(ThreadPoolExecutor(2))
    search_pb2_grpc.add_SearchServiceServicer_to_server(Lying([]), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with Client(f"127.0.0.1:{port}", [], 5) as client, pytest.raises(Failure) as caught:
            get(client)
    finally:
        server.stop(None)
    assert caught.value.reason == ""
    assert caught.value.exit_code is ExitCode.FAILED


def test_nobody_there() -> None:
    with Client("127.0.0.1:1", [], 10) as client, pytest.raises(Failure) as caught:
        get(client)
    assert caught.value.message == "nothing answers at 127.0.0.1:1"
    assert "beholden serve" in caught.value.hint
    assert caught.value.exit_code is ExitCode.UNAVAILABLE


def test_more_time_is_offered_whoever_ran_out_of_it() -> None:
    late = status(grpc.StatusCode.DEADLINE_EXCEEDED, info("DEADLINE_EXCEEDED"))
    with serving([late]) as (_, client), pytest.raises(Failure) as caught:
        create(client)
    assert "--timeout" in caught.value.hint


def test_the_deadline_is_told_in_words() -> None:
    release = threading.Event()

    class Slow(Scripted):
        def GetCollection(self, request: Any, context: Any) -> Any:
            release.wait(20)
            return search_pb2.GetCollectionResponse()

    server = grpc.server(ThreadPoolExecutor(2))
    search_pb2_grpc.add_SearchServiceServicer_to_server(Slow([]), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with Client(f"127.0.0.1:{port}", [], 0.2) as client, pytest.raises(Failure) as caught:
            get(client)
    finally:
        release.set()
        server.stop(None)
    assert "no answer within 0.2 s" in caught.value.message
    assert "--timeout" in caught.value.hint
