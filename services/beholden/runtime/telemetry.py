"""Sends traces, metrics and logs where OpenTelemetry's own environment says, and logs to stderr too."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Literal

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from pydantic import BaseModel

from beholden.runtime.exporters import started

_MOST_CHARACTERS = 16_384


class TelemetrySettings(BaseModel):
    """How the process logs to stderr. The rest is OpenTelemetry's: OTEL_EXPORTER_OTLP_ENDPOINT and kin."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe records that are logged."""

    log_format: Literal["plain", "json"] = "plain"
    """Lines for people, or one JSON object a line."""


@contextmanager
def telemetry(settings: TelemetrySettings, service: str) -> Iterator[None]:
    """Sets up the process as `service`, once; sends what is left over when it ends.

    Without an endpoint in the environment nothing is measured and nothing is sent.
    """
    _log_to_stderr(settings)
    with ExitStack() as stack:
        resource = Resource.create(
            {
                "service.name": os.environ.get("OTEL_SERVICE_NAME") or service,
                "service.version": version("beholden"),
            }
        )
        for ending in started(resource):
            stack.callback(ending)
        yield


def _log_to_stderr(settings: TelemetrySettings) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if settings.log_format == "json" else PlainLines())
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


class PlainLines(logging.Formatter):
    """`2026-11-22T01:19:10.275Z INFO beholden.runtime.server: ...`, with its trace where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The record in a line, and its traceback below it."""
        trace_id, _ = _trace()
        line = f"{_time(record)} {record.levelname} {record.name}: {_message(record)}"
        traced = f"{line} [trace {trace_id}]" if trace_id else line
        return f"{traced}\n{_traceback(self, record)}" if record.exc_info else traced


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, trace_id, span_id, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON, without what is empty."""
        trace_id, span_id = _trace()
        whole = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            "trace_id": trace_id,
            "span_id": span_id,
            "exception": _traceback(self, record) if record.exc_info else "",
        }
        return json.dumps({key: value for key, value in whole.items() if value})


def _time(record: logging.LogRecord) -> str:
    instant = datetime.fromtimestamp(record.created, UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    # On one line, whatever a caller sent: nobody forges a second record.
    return record.getMessage()[:_MOST_CHARACTERS].replace("\r", "\\r").replace("\n", "\\n")


def _traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    assert record.exc_info is not None
    return formatter.formatException(record.exc_info)[-_MOST_CHARACTERS:]


def _trace() -> tuple[str, str]:
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return "", ""
    return trace.format_trace_id(span.trace_id), trace.format_span_id(span.span_id)
