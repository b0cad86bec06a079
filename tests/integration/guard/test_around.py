"""Telemetry of every call, and the methods outside the guard."""

from __future__ import annotations

import json
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from opentelemetry.trace import SpanKind

from beholden.core.law import Decision, Reason
from beholden.guard.open_methods import open_methods
from tests.integration.guard.house import House

METHOD = "beholden.v1.SearchService/SearchFaces"


def points(home: House, name: str) -> list[dict[str, Any]]:
    """The attributes and counts of one metric."""
    data = home.metrics.get_metrics_data()
    return [
        dict(point.attributes) | {"n": getattr(point, "count", getattr(point, "value", 0))}
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.data.data_points
    ]


async def test_an_answer_has_a_span_in_the_callers_trace(home: House):
    trace_id, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    await home.call("SearchFaces", metadata=[("traceparent", f"00-{trace_id}-{parent}-01")])
    [span] = home.spans.get_finished_spans()
    assert (span.name, span.kind) == (METHOD, SpanKind.SERVER)
    assert format(span.context.trace_id, "032x") == trace_id
    assert format(span.parent.span_id, "016x") == parent
    decided = home.book.records[0]
    assert decided.body["trace_id"] == trace_id
    assert dict(span.attributes) == {
        "rpc.system.name": "grpc",
        "rpc.method": METHOD,
        "rpc.response.status_code": "OK",
        "beholden.action": "face.search",
        "beholden.tenant": "daily-herald",
        "beholden.decision.id": decided.id,
        "beholden.decision.allowed": True,
        "beholden.decision.revision": "r1",
    }


async def test_refusals_are_counted_even_of_callers_unknown(home: House):
    await home.refused("SearchFaces", token=None)
    [span] = home.spans.get_finished_spans()
    assert span.attributes["rpc.response.status_code"] == "UNAUTHENTICATED"
    assert not span.status.status_code.value
    [point] = points(home, "rpc.server.call.duration")
    assert (point["rpc.response.status_code"], point["n"]) == ("UNAUTHENTICATED", 1)
    assert points(home, "beholden.decisions") == []


async def test_decisions_are_counted_by_the_law_behind_them(home: House):
    await home.call("SearchFaces")
    home.law.answer = Decision(False, "r2", reasons=(Reason("MORATORIUM", "amazon-2021/police"),))
    await home.refused("SearchFaces")
    await home.refused("SearchFaces")
    assert sorted(points(home, "beholden.decisions"), key=lambda one: one["n"]) == [
        {"action": "face.search", "allowed": True, "code": "", "law": "", "n": 1},
        {
            "action": "face.search",
            "allowed": False,
            "code": "MORATORIUM",
            "law": "amazon-2021/police",
            "n": 2,
        },
    ]


async def test_our_own_faults_are_errors(home: House):
    home.law.answer = RuntimeError("a bug")
    await home.refused("SearchFaces")
    [span] = home.spans.get_finished_spans()
    assert span.status.status_code.name == "ERROR"
    assert span.attributes["error.type"] == "UNAVAILABLE"


async def test_no_person_picture_or_token_is_told(home: House):
    token = home.token(principal="ada.lovelace")
    call = home.call("DetectFaces", token=token, metadata=[("beholden-case", "case 4711")])
    await call
    await home.refused("DetectFaces", b"\xff")
    told = "".join(span.to_json() for span in home.spans.get_finished_spans())
    told += json.dumps(points(home, "rpc.server.call.duration"))
    for secret in ("ada.lovelace", token, "4711"):
        assert secret not in told


async def test_health_needs_no_token(home: House):
    stub = health_pb2_grpc.HealthStub(home.channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest())
    assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert not home.book.records


async def test_reflection_is_refused_where_the_operator_turned_it_off(home: House):
    stub = reflection_pb2_grpc.ServerReflectionStub(home.channel)
    call = stub.ServerReflectionInfo(
        iter([reflection_pb2.ServerReflectionRequest(list_services="")])
    )
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async for _ in call:
            pass
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_method_that_nobody_serves(home: House):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await home.channel.unary_unary("/beholden.v1.SearchService/FindEverybody")(b"")
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_the_open_methods_are_these():
    closed = open_methods(reflection=False)
    assert closed == {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"}
    assert {path.split("/")[1] for path in open_methods(reflection=True) - closed} == {
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    }
