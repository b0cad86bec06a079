"""Traces and metrics reach a real collector; logs say which trace they belong to."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.metrics.v1 import (
    metrics_service_pb2,
    metrics_service_pb2_grpc,
)
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.trace import TracerProvider

from beholden.runtime.telemetry import JsonLines, PlainLines

PROGRAM = """
import logging
from opentelemetry import metrics, trace
from beholden.runtime.telemetry import TelemetrySettings, telemetry

with telemetry(TelemetrySettings(log_format="json"), "beholden-search"):
    with trace.get_tracer("t").start_as_current_span("a span"):
        logging.getLogger("beholden.t").info("in %s", "span")
    metrics.get_meter("t").create_counter("a.counter").add(3)
    logging.getLogger("beholden.t").debug("not told")
"""


@asynccontextmanager
async def collector() -> AsyncIterator[tuple[str, list[Any], list[Any]]]:
    """A collector's address, the spans it got, and the metrics."""
    spans: list[Any] = []
    metrics: list[Any] = []

    class Traces(trace_service_pb2_grpc.TraceServiceServicer):
        async def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
            spans.extend(request.resource_spans)
            return trace_service_pb2.ExportTraceServiceResponse()

    class Metrics(metrics_service_pb2_grpc.MetricsServiceServicer):
        async def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
            metrics.extend(request.resource_metrics)
            return metrics_service_pb2.ExportMetricsServiceResponse()

    server = grpc.aio.server()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Traces(), server)
    metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server(Metrics(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"http://127.0.0.1:{port}", spans, metrics
    finally:
        await server.stop(None)


async def run(**environment: str) -> list[dict[str, Any]]:
    """Runs the program in a process of its own, whose providers are its own; its log."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        env=kept | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    assert process.returncode == 0, told.decode()
    return [json.loads(line) for line in told.decode().splitlines()]


async def test_sends_what_it_has_before_it_ends():
    async with collector() as (address, spans, metrics):
        [line] = await run(OTEL_EXPORTER_OTLP_ENDPOINT=address)
    [span] = [one for scope in spans[0].scope_spans for one in scope.spans]
    assert span.name == "a span"
    assert line["trace_id"] == span.trace_id.hex()
    assert (line["level"], line["logger"], line["message"]) == ("info", "beholden.t", "in span")
    attributes = {one.key: one.value.string_value for one in spans[0].resource.attributes}
    assert attributes["service.name"] == "beholden-search"
    names = [one.name for scope in metrics[0].scope_metrics for one in scope.metrics]
    assert "a.counter" in names


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_SDK_DISABLED": "true"},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"},
    ],
)
async def test_sends_nothing_unless_told_to(environment: dict[str, str]):
    async with collector() as (address, spans, metrics):
        if environment:
            environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": address} | environment
        [line] = await run(**environment)
        assert "trace_id" not in line
        assert not spans
        assert not metrics


def record(message: str, *, failed: bool = False) -> logging.LogRecord:
    error = None
    if failed:
        try:
            raise ValueError("why")
        except ValueError:
            error = sys.exc_info()
    return logging.LogRecord("beholden.t", logging.INFO, "f", 1, message, (), error)


def test_a_json_line_is_one_line_whatever_is_said():
    line = JsonLines().format(record('a\n{"level": "error"}\r', failed=True))
    assert "\n" not in line
    told = json.loads(line)
    assert told["message"] == 'a\\n{"level": "error"}\\r'
    assert told["exception"].endswith("ValueError: why")
    assert told["time"].endswith("Z")


def test_a_plain_line_names_its_trace():
    with TracerProvider().get_tracer("t").start_as_current_span("s") as span:
        line = PlainLines().format(record("a\nb"))
    assert line.endswith(
        f"INFO beholden.t: a\\nb [trace {format(span.get_span_context().trace_id, '032x')}]"
    )
    assert "\n" not in line
    assert PlainLines().format(record("a", failed=True)).splitlines()[-1] == "ValueError: why"


def test_a_line_is_bounded():
    assert len(JsonLines().format(record("x" * 10**6))) < 20_000
