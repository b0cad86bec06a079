"""Puts every call of a gRPC server through the guard."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message
from grpc_status import rpc_status
from opentelemetry.metrics import Meter
from opentelemetry.trace import Tracer

from beholden.core.ports import Ledger, PolicyEngine, Reviews, Shadow
from beholden.guard.authorities import Authorities
from beholden.guard.call import Answer, Call, Metadata, Next, Tenants
from beholden.guard.chain import handler, link, places
from beholden.guard.decision import Asking
from beholden.guard.errors import Refusal
from beholden.guard.facts import Gathering
from beholden.guard.identity import Identity, open_keys
from beholden.guard.limits import Limits
from beholden.guard.methods import Method, read_methods
from beholden.guard.open_methods import open_methods
from beholden.guard.permission import Permissions
from beholden.guard.recording import Recording
from beholden.guard.review import Withholding
from beholden.guard.settings import GuardSettings
from beholden.guard.streams import Renewal
from beholden.guard.telemetry import Telemetry
from beholden.guard.tokens import Verifier

DECISION_ID = "beholden-decision-id"
"""The trailing metadata that names the call's decision in the ledger."""

DELETE_BY = "beholden-delete-by"
"""The trailing metadata that says until when the caller may keep the answer, where the law says so."""


class Guard(grpc.aio.ServerInterceptor):
    """Guards the methods of `services`; any other that is not open is refused.

    Raises AnnotationError for a method that cannot be guarded, FailedPrecondition for keys that do
    not do. `authorities` are those whose signed evidence is believed, asked anew for each; nobody's
    by default. `notifies` says that notices which the ledger owes are delivered. `clock` is Unix time
    in nanoseconds.
    """

    def __init__(
        self,
        services: Iterable[ServiceDescriptor],
        *,
        policy: PolicyEngine,
        ledger: Ledger,
        tenants: Tenants,
        settings: GuardSettings,
        tracer: Tracer,
        meter: Meter,
        reflection: bool,
        reviews: Reviews | None = None,
        notifies: bool = False,
        shadow: Shadow | None = None,
        authorities: Callable[[], Authorities] = Authorities,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        identity = settings.identity
        verifier = Verifier(
            open_keys(identity),
            audience=identity.audience,
            issuer=identity.issuer,
            leeway=identity.leeway,
            clock=lambda: clock() / 1e9,
        )
        self._recording = Recording(ledger, clock)
        self._methods = read_methods(services)
        self._open = open_methods(reflection=reflection)
        self._chain: Next = link(
            places(
                telemetry=Telemetry(tracer, meter),
                identity=Identity(verifier, tenants),
                limits=Limits(settings.limits),
                gathering=Gathering(
                    tenants,
                    clock,
                    authorities,
                    audience=identity.audience,
                    leeway=identity.leeway,
                ),
                asking=Asking(
                    policy,
                    clock,
                    reviews=reviews is not None,
                    notifies=notifies,
                    shadow=shadow,
                ),
                recording=self._recording,
                renewal=Renewal(
                    Permissions(
                        policy,
                        ledger,
                        tenants,
                        authorities=authorities,
                        clock=clock,
                        interval=settings.ask_again,
                        notifies=notifies,
                    )
                ),
                withholding=Withholding(reviews, clock),
            ),
            handler,
        )

    async def drain(self) -> None:
        """Waits for outcomes still being written; to be awaited once the server has stopped."""
        await self._recording.drain()

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """The method's handler, the guard around it."""
        inner = await continuation(handler_call_details)
        path = handler_call_details.method
        if inner is None or path in self._open:
            return inner
        method = self._methods.get(path)
        if method is None:
            return grpc.stream_unary_rpc_method_handler(_refuse)
        return self._guarded(method, inner)

    def _guarded(self, method: Method, inner: Any) -> Any:
        (servicer,) = filter(None, (getattr(inner, shape) for shape in _SHAPES))

        async def guarded(_: Any, context: grpc.aio.ServicerContext[bytes, Message]) -> Answer:
            call = Call(
                method=method,
                metadata=_grouped(context),
                remaining=context.time_remaining(),
                receive=lambda: _receive(context),
                send=_sender(context),
                handle=lambda asked: servicer(asked, context),
            )
            try:
                answer = await self._chain(call)
            except Refusal as refusal:
                told = rpc_status.to_status(refusal.status)
                await context.abort(
                    told.code,
                    told.details,
                    (*told.trailing_metadata, *_trailing(call), *refusal.metadata),
                )
            context.set_trailing_metadata((*_trailing(call), *_kept(call)))
            return answer

        # As if every client streamed, which on the wire is the same: the guard takes the request when
        # its sender is known and there is room, and gRPC does not buffer it before.
        handler = (
            grpc.stream_stream_rpc_method_handler
            if method.server_streaming
            else grpc.stream_unary_rpc_method_handler
        )
        return handler(guarded, response_serializer=inner.response_serializer)


_SHAPES = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


async def _receive(context: grpc.aio.ServicerContext[bytes, Message]) -> bytes | None:
    received = await context.read()
    return received if isinstance(received, bytes) else None


def _sender(
    context: grpc.aio.ServicerContext[bytes, Message],
) -> Callable[[Message], Awaitable[None]]:
    """Writes answers, the headers before and apart from them.

    gRPC sends those with the first answer, and again with the status where the law ends the stream
    while that is being written; then it fails, and the caller is told nothing.
    """
    begun = False

    async def send(answer: Message) -> None:
        nonlocal begun
        if not begun:
            begun = True
            headers = asyncio.ensure_future(context.send_initial_metadata(()))
            try:
                await asyncio.shield(headers)
            except asyncio.CancelledError:
                await asyncio.wait([headers])
                raise
        await context.write(answer)

    return send


async def _refuse(_: Any, context: grpc.aio.ServicerContext[bytes, Message]) -> None:
    await context.abort(grpc.StatusCode.UNIMPLEMENTED, "this method is not served here")


def _trailing(call: Call) -> tuple[tuple[str, str], ...]:
    return ((DECISION_ID, call.decision_id),) if call.decision_id else ()


def _kept(call: Call) -> tuple[tuple[str, str], ...]:
    return ((DELETE_BY, call.duties.delete_by),) if call.duties.delete_by else ()


def _grouped(context: grpc.aio.ServicerContext[bytes, Message]) -> Metadata:
    grouped: dict[str, tuple[str | bytes, ...]] = {}
    for key, value in context.invocation_metadata() or ():
        grouped[key] = (*grouped.get(key, ()), value)
    return grouped
