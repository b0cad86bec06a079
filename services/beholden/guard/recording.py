"""Writes down what was decided before anything is done, and what came of it before it is answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

import grpc
from opentelemetry import trace

from beholden.core.errors import BeholdenError, Denied, Unavailable
from beholden.core.law import Decision, Json, Obligation, Reason
from beholden.core.ports import Ledger
from beholden.core.record import DECISION, OUTCOME, Record
from beholden.guard.call import Answer, Call, Next
from beholden.guard.errors import status_code
from beholden.guard.obligations import Duties

_log = logging.getLogger(__name__)


class Recording:
    """The only place that lets an allowed call on, and only once the ledger has it.

    `clock` is Unix time in nanoseconds.
    """

    def __init__(self, ledger: Ledger, clock: Callable[[], int]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._writing: set[asyncio.Task[None]] = set()

    async def __call__(self, call: Call, proceed: Next) -> Answer:
        """Raises Denied, once that is written too; Unavailable when the ledger cannot write."""
        assert call.decision is not None
        said = decided(
            call.decision, call.duties, rpc=call.method.path, facts=call.facts, media=call.media
        )
        await append(self._ledger, self._record(call, DECISION, said))
        if not call.decision.allowed:
            raise Denied(call.decision)
        try:
            response = await proceed(call)
        except asyncio.CancelledError:
            # Nobody waits for the answer; that it was begun is written down all the same.
            self._begin(self._record(call, OUTCOME, _outcome(call, _interrupted(call))))
            raise
        except Exception as error:
            reason = error.reason if isinstance(error, BeholdenError) else ""
            await self._finish(call, _outcome(call, status_code(error)) | {"reason": reason})
            raise
        if response is not None:
            call.tally.answer(response)
        await self._finish(call, _outcome(call, grpc.StatusCode.OK) | call.tally.answered())
        return response

    async def drain(self) -> None:
        """Waits until everything begun is written."""
        if self._writing:
            await asyncio.wait(self._writing)

    async def _finish(self, call: Call, body: Mapping[str, Json]) -> None:
        # Shielded: it is written even when the caller goes away meanwhile.
        await asyncio.shield(self._begin(self._record(call, OUTCOME, body)))

    def _begin(self, record: Record) -> asyncio.Task[None]:
        writing = asyncio.create_task(append(self._ledger, record))
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

    def _written(self, writing: asyncio.Task[None]) -> None:
        self._writing.discard(writing)
        # Said here, since a caller that went away is not told.
        if not writing.cancelled() and (error := writing.exception()) is not None:
            _log.error("an outcome was not written: %s", error)


async def append(ledger: Ledger, record: Record) -> None:
    """Durable on return. Whatever a ledger does instead is Unavailable."""
    try:
        await ledger.append(record)
    except Unavailable:
        raise
    except Exception as error:
        _log.exception("the ledger failed")
        raise Unavailable("ledger", "the record could not be written") from error


def decided(
    decision: Decision,
    duties: Duties,
    *,
    rpc: str,
    facts: Mapping[str, Json],
    media: tuple[str, ...],
) -> dict[str, Json]:
    """The body of a decision's record."""
    span = trace.get_current_span().get_span_context()
    return {
        "rpc": rpc,
        "facts": facts,
        "media": media,
        "decision": _document(decision)
        | {
            "reasons": [_document(reason) for reason in decision.reasons],
            "obligations": [_document(one) for one in decision.obligations],
        },
        "delete_by": duties.delete_by,
        "trace_id": trace.format_trace_id(span.trace_id) if span.is_valid else "",
    }


def _document(value: Decision | Reason | Obligation) -> dict[str, Json]:
    return {name: getattr(value, name) for name in value.__slots__}


def _outcome(call: Call, status: grpc.StatusCode) -> dict[str, Json]:
    streamed = {"stream": call.tally.streamed()} if call.method.streams else {}
    return {"status": status.name, **streamed}


def _interrupted(call: Call) -> grpc.StatusCode:
    late = asyncio.get_running_loop().time() >= call.deadline
    return grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED
