"""Traces, metrics and logs reach a collector; logs say which trace they belong to."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from beholden.runtime.telemetry import JsonLines, PlainLines
from tests.collector import collector

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
    with collector() as kept:
        [line] = await run(OTEL_EXPORTER_OTLP_ENDPOINT=kept.address)
    [span] = kept.spans()
    assert span.name == "a span"
    assert line["trace_id"] == span.trace_id.hex()
    assert (line["level"], line["logger"], line["message"]) == ("info", "beholden.t", "in span")
    resource = kept.traces[0].resource_spans[0].resource
    attributes = {one.key: one.value.string_value for one in resource.attributes}
    assert attributes["service.name"] == "beholden-search"
    assert "a.counter" in kept.metric_names()
    [record] = kept.lines()
    assert (record.body.string_value, record.trace_id) == ("in span", span.trace_id)


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_SDK_DISABLED": "true"},
        {f"OTEL_{one}_EXPORTER": "none" for one in ("TRACES", "METRICS", "LOGS")},
    ],
)
async def test_sends_nothing_unless_told_to(environment: dict[str, str]):
    with collector() as kept:
        if environment:
            environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": kept.address} | environment
        [line] = await run(**environment)
    assert "trace_id" not in line
    assert not kept.traces + kept.metrics + kept.logs


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
