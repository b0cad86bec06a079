"""Tells OpenTelemetry of every call: a span, its duration, and what the law decided.

By the semantic conventions for RPC. Nothing of a request or answer, and no person, is told.
"""

from __future__ import annotations

import time
from asyncio import CancelledError

import grpc
from opentelemetry.metrics import Meter
from opentelemetry.semconv._incubating.attributes.rpc_attributes import (
    RPC_METHOD,
    RPC_RESPONSE_STATUS_CODE,
    RPC_SYSTEM_NAME,
)
from opentelemetry.semconv._incubating.metrics.rpc_metrics import create_rpc_server_call_duration
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from beholden.core.law import Decision
from beholden.guard.call import Answer, Call, Next

SCOPE = "beholden.guard"

# Which statuses are the server's own fault: semantic conventions for gRPC, server spans.
_FAULTS = {
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}
_PROPAGATOR = TraceContextTextMapPropagator()


class Telemetry:
    """Continues the caller's trace, and counts the call however it ends."""

    def __init__(self, tracer: Tracer, meter: Meter) -> None:
        self._tracer = tracer
        self._duration = create_rpc_server_call_duration(meter)
        self._decisions = meter.create_counter(
            "beholden.decisions", "{decision}", "What the law decided."
        )
        self._obligations = meter.create_counter(
            "beholden.obligations", "{obligation}", "What allowed calls had to honour."
        )

    async def __call__(self, call: Call, proceed: Next) -> Answer:
        """Changes nothing about the call."""
        begun = time.perf_counter()
        told = {RPC_SYSTEM_NAME: "grpc", RPC_METHOD: call.method.name}
        with self._tracer.start_as_current_span(
            call.method.name,
            context=_PROPAGATOR.extract(_traced(call)),
            kind=SpanKind.SERVER,
            attributes={**told, "beholden.action": call.method.action},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                return await proceed(call)
            except CancelledError:
                call.status = grpc.StatusCode.CANCELLED
                raise
            finally:
                told[RPC_RESPONSE_STATUS_CODE] = call.status.name
                if call.status in _FAULTS:
                    told[ERROR_TYPE] = call.status.name
                    span.set_status(Status(StatusCode.ERROR))
                span.set_attributes(told)
                self._duration.record(time.perf_counter() - begun, told)
                if call.decision is not None:
                    self._tell_decision(call, call.decision, span)

    def _tell_decision(self, call: Call, decision: Decision, span: Span) -> None:
        reason = decision.reasons[0] if decision.reasons else None
        self._decisions.add(
            1,
            {
                "action": call.method.action,
                "allowed": decision.allowed,
                "code": reason.code if reason else "",
                "law": reason.law if reason else "",
            },
        )
        for obligation in decision.obligations if decision.allowed else ():
            self._obligations.add(1, {"action": call.method.action, "kind": obligation.kind})
        span.set_attributes(
            {
                "beholden.tenant": call.principal.tenant,
                "beholden.decision.id": call.decision_id,
                "beholden.decision.allowed": decision.allowed,
                "beholden.decision.revision": decision.revision,
            }
        )


def _traced(call: Call) -> dict[str, str]:
    carried = ((key, call.metadata.get(key, ())) for key in _PROPAGATOR.fields)
    return {key: str(values[0]) for key, values in carried if values}
