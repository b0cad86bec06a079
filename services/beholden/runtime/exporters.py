"""Where traces, metrics and logs go, by OpenTelemetry's own environment: OTLP, Prometheus, or nowhere."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator

from opentelemetry import metrics, trace
from opentelemetry.sdk.resources import Resource

Ending = Callable[[], object]


def started(resource: Resource) -> Iterator[Ending]:
    """Starts each exporter that is asked for; what it yields sends the rest and ends it.

    OTEL_{TRACES,METRICS,LOGS}_EXPORTER: `otlp` where OTEL_EXPORTER_OTLP_ENDPOINT (or the signal's own)
    is set, which is the default; metrics also `prometheus`, to be asked at
    OTEL_EXPORTER_PROMETHEUS_HOST:PORT (localhost:9464); `none`.
    """
    if _asked("TRACES", "otlp"):
        yield _traces(resource)
    readers = [name for name in ("otlp", "prometheus") if _asked("METRICS", name)]
    if readers:
        yield from _metrics(resource, readers)
    if _asked("LOGS", "otlp"):
        yield _logs(resource)


def _asked(signal: str, exporter: str) -> bool:
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    named = os.environ.get(f"OTEL_{signal}_EXPORTER", "otlp").replace(" ", "").split(",")
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    return exporter in named and (
        exporter != "otlp" or any(os.environ.get(name) for name in endpoints)
    )


def _traces(resource: Resource) -> Ending:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider.shutdown


def _metrics(resource: Resource, exporters: list[str]) -> Iterator[Ending]:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricReader

    readers: list[MetricReader] = []
    if "otlp" in exporters:
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        readers.append(PeriodicExportingMetricReader(OTLPMetricExporter()))
    if "prometheus" in exporters:
        from opentelemetry.exporter.prometheus import PrometheusMetricReader
        from prometheus_client import CollectorRegistry, start_http_server

        registry = CollectorRegistry()
        readers.append(PrometheusMetricReader(registry=registry))
        server, thread = start_http_server(
            int(os.environ.get("OTEL_EXPORTER_PROMETHEUS_PORT", "9464")),
            os.environ.get("OTEL_EXPORTER_PROMETHEUS_HOST", "localhost"),
            registry,
        )
        yield thread.join
        yield server.shutdown
    provider = MeterProvider(readers, resource)
    metrics.set_meter_provider(provider)
    yield provider.shutdown


def _logs(resource: Resource) -> Ending:
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.instrumentation.logging.handler import LoggingHandler
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor

    provider = LoggerProvider(resource)
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    logging.getLogger().addHandler(LoggingHandler(logger_provider=provider))
    return provider.shutdown
