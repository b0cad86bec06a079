"""Writes down what was decided before anything is done, and what came of it before it is answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.protobuf.message import Message
from opentelemetry import trace

from beholden.core.errors import BeholdenError, Denied, Unavailable
from beholden.core.law import Decision, Json, Obligation, Reason
from beholden.core.ports import Ledger
from beholden.core.record import DECISION, OUTCOME, Record
from beholden.guard.call import Call, Next
from beholden.guard.errors import status_code
from beholden.v1 import image_pb2

_MODEL = image_pb2.ModelVersion.DESCRIPTOR.full_name

_log = logging.getLogger(__name__)


class Recording:
    """The only place that lets an allowed call on, and only once the ledger has it.

    `clock` is Unix time in nanoseconds.
    """

    def __init__(self, ledger: Ledger, clock: Callable[[], int]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._writing: set[asyncio.Task[None]] = set()

    async def __call__(self, call: Call, proceed: Next) -> Message:
        """Raises Denied, once that is written too; Unavailable when the ledger cannot write."""
        assert call.decision is not None
        await self._append(self._record(call, DECISION, _decided(call)))
        if not call.decision.allowed:
            raise Denied(call.decision)
        try:
            response = await proceed(call)
        except asyncio.CancelledError:
            # Nobody waits for the answer; that it was begun is written down all the same.
            self._begin(self._record(call, OUTCOME, {"status": _interrupted(call).name}))
            raise
        except Exception as error:
            await self._finish(call, _failed(error))
            raise
        await self._finish(call, _answered(call, response))
        return response

    async def drain(self) -> None:
        """Waits until everything begun is written."""
        if self._writing:
            await asyncio.wait(self._writing)

    async def _finish(self, call: Call, body: Mapping[str, Json]) -> None:
        # Shielded: it is written even when the caller goes away meanwhile.
        await asyncio.shield(self._begin(self._record(call, OUTCOME, body)))

    def _begin(self, record: Record) -> asyncio.Task[None]:
        writing = asyncio.create_task(self._append(record))
        self._writing.add(writing)
        writing.add_done_callback(self._written)
        return writing

    def _record(self, call: Call, kind: str, body: Mapping[str, Json]) -> Record:
        assert call.decision is not None
        return Record(
            id=call.decision_id,
            kind=kind,
            time_ns=self._clock(),
            tenant=call.principal.tenant,
            principal=call.principal.id,
            action=call.method.action,
            allowed=call.decision.allowed,
            body=body,
        )

    async def _append(self, record: Record) -> None:
        try:
            await self._ledger.append(record)
        except Unavailable:
            raise
        except Exception as error:
            _log.exception("the ledger failed")
            raise Unavailable("ledger", "the record could not be written") from error

    def _written(self, writing: asyncio.Task[None]) -> None:
        self._writing.discard(writing)
        # Said here, since a caller that went away is not told.
        if not writing.cancelled() and (error := writing.exception()) is not None:
            _log.error("an outcome was not written: %s", error)


def _decided(call: Call) -> dict[str, Json]:
    assert call.decision is not None
    span = trace.get_current_span().get_span_context()
    return {
        "rpc": call.method.path,
        "facts": call.facts,
        "media": call.media,
        "decision": _document(call.decision)
        | {
            "reasons": [_document(reason) for reason in call.decision.reasons],
            "obligations": [_document(one) for one in call.decision.obligations],
        },
        "trace_id": trace.format_trace_id(span.trace_id) if span.is_valid else "",
    }


def _document(value: Decision | Reason | Obligation) -> dict[str, Json]:
    return {name: getattr(value, name) for name in value.__slots__}


def _answered(call: Call, response: Message) -> dict[str, Json]:
    counts: dict[str, Json] = {}
    models: list[Json] = []
    for field in response.DESCRIPTOR.fields:
        value: Any = getattr(response, field.name)
        if field.is_repeated:
            counts[field.name] = len(value)
        elif _kind(field) == _MODEL and response.HasField(field.name):
            models.append(f"{value.name}@{value.version}")
    return {"status": "OK", "counts": counts, "models": models, "withheld": call.withheld}


def _kind(field: Any) -> str:
    return field.message_type.full_name if field.message_type is not None else ""


def _failed(error: Exception) -> dict[str, Json]:
    reason = error.reason if isinstance(error, BeholdenError) else ""
    return {"status": status_code(error).name, "reason": reason}


def _interrupted(call: Call) -> grpc.StatusCode:
    late = asyncio.get_running_loop().time() >= call.deadline
    return grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED
