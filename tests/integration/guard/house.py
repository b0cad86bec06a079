"""A real gRPC server behind the guard, on a real socket, with servicers that note what reaches them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import error_details_pb2
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_status import rpc_status
from joserfc.jwk import OctKey
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from beholden.core.caller import Caller, caller
from beholden.core.law import Decision, Facts
from beholden.core.ports import Shadow
from beholden.core.record import Entry, Record
from beholden.guard.fields import limits_of
from beholden.guard.interceptor import Guard
from beholden.guard.settings import GuardSettings, IdentitySettings, LimitsSettings
from beholden.guard.tokens import mint
from beholden.v1 import (
    detection_pb2,
    detection_pb2_grpc,
    embedding_pb2,
    embedding_pb2_grpc,
    governance_pb2,
    governance_pb2_grpc,
    moderation_pb2,
    moderation_pb2_grpc,
    policy_pb2,
    search_pb2,
    search_pb2_grpc,
)

SECRET = b"a secret of the tests, 32 bytes and more"
KEY = OctKey.import_key(SECRET)
TENANTS = {
    "daily-herald": {"kind": "newsroom", "jurisdiction": "US-NY"},
    "metro-police": {"kind": "police_department", "jurisdiction": "US-WA"},
}
ALLOWED = Decision(allowed=True, revision="r1", answered=("moratorium",))

_JOINED = {
    service: getattr(stubs, f"add_{service.name}Servicer_to_server")
    for file, stubs in (
        (detection_pb2, detection_pb2_grpc),
        (embedding_pb2, embedding_pb2_grpc),
        (governance_pb2, governance_pb2_grpc),
        (moderation_pb2, moderation_pb2_grpc),
        (search_pb2, search_pb2_grpc),
    )
    for service in file.DESCRIPTOR.services_by_name.values()
}
SERVICES: Sequence[ServiceDescriptor] = tuple(_JOINED)
METHODS: Sequence[MethodDescriptor] = [m for service in SERVICES for m in service.methods]

Decide = Callable[[Facts], Awaitable[Decision]]
Answer = Callable[[Message], Awaitable[Message]]


class Law:
    """A policy engine that a test decides for; it keeps the facts that it was asked with."""

    def __init__(self) -> None:
        self.asked: list[Facts] = []
        self.answer: Decision | Exception | Any = ALLOWED
        self._turned = asyncio.Event()

    async def decide(self, facts: Facts) -> Decision:
        self.asked.append(facts)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def turn(self, answer: Decision | Exception) -> None:
        """Another law is in force, which gives this answer."""
        self.answer = answer
        self._turned.set()

    async def changed(self, revision: str) -> None:
        await self._turned.wait()
        self._turned.clear()


class Book:
    """A ledger in memory, that a test may break or hold up, by the kind of record."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.broken: set[str] = set()
        self.held: dict[str, asyncio.Event] = {}

    async def append(self, record: Record) -> Entry:
        if record.kind in self.held:
            await self.held[record.kind].wait()
        if record.kind in self.broken:
            raise OSError("no space left on device")
        self.records.append(record)
        return Entry("test", len(self.records), record, "", "")


@dataclass
class House:
    """What a test looks at and turns."""

    law: Law
    book: Book
    guard: Guard
    spans: InMemorySpanExporter
    metrics: InMemoryMetricReader
    channel: grpc.aio.Channel
    reached: list[tuple[str, Message, Caller]] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)

    def token(self, **changes: Any) -> str:
        said = {"principal": "ada", "tenant": "daily-herald", "roles": ["editor"]} | changes
        return mint(KEY, **said)

    def call(
        self,
        method: str,
        request: Message | bytes | None = None,
        *,
        token: str | None = "",
        metadata: Sequence[tuple[str, str | bytes]] = (),
        timeout: float | None = 20,
    ) -> grpc.aio.UnaryUnaryCall[Any, Any]:
        """Calls `SearchFaces` by its name; the token None sends none, empty one that is good."""
        descriptor = named(method)
        if request is None:
            request = valid(descriptor)
        path = f"/{descriptor.containing_service.full_name}/{descriptor.name}"
        if token is not None:
            metadata = (*metadata, ("authorization", f"Bearer {token or self.token()}"))
        ask = self.channel.unary_unary(
            path,
            request_serializer=lambda one: (
                one if isinstance(one, bytes) else one.SerializeToString()
            ),
            response_deserializer=GetMessageClass(descriptor.output_type).FromString,
        )
        return ask(request, metadata=tuple(metadata), timeout=timeout)

    async def refused(self, *arguments: Any, **options: Any) -> grpc.aio.AioRpcError:
        """The error of a call that must fail."""
        try:
            answer = await self.call(*arguments, **options)
        except grpc.aio.AioRpcError as error:
            return error
        raise AssertionError(f"answered: {answer}")


@asynccontextmanager
async def house(
    folder: Path,
    *,
    more: Sequence[tuple[ServiceDescriptor, Mapping[str, grpc.RpcMethodHandler[Any, Any]]]] = (),
    ask_again: float = 60,
    shadow: Shadow | None = None,
    guarding: Mapping[str, Any] | None = None,
    **limits: Any,
) -> AsyncIterator[House]:
    """The server, its caller's channel, and everything between.

    `more` are services of the test's own; `guarding` takes the place of what the guard has here.
    """
    key_file = folder / "key"
    key_file.write_bytes(SECRET)
    spans, metrics = InMemorySpanExporter(), InMemoryMetricReader()
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    law, book = Law(), Book()
    guard = Guard(
        [*SERVICES, *(service for service, _ in more)],
        **{"policy": law, "ledger": book, "tenants": TENANTS, **(guarding or {})},
        settings=GuardSettings(
            identity=IdentitySettings(key_file=key_file, leeway=0),
            limits=LimitsSettings(**limits),
            ask_again=ask_again,
        ),
        tracer=tracing.get_tracer("test"),
        meter=MeterProvider([metrics]).get_meter("test"),
        reflection=False,
        shadow=shadow,
    )
    server = grpc.aio.server(
        interceptors=[guard], options=[("grpc.max_receive_message_length", 32 * 1024 * 1024)]
    )
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
    home = House(law, book, guard, spans, metrics, channel)
    for service, join in _JOINED.items():
        join(_servicer(home, service), server)
    for service, handlers in more:
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(service.full_name, handlers),)
        )
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    reflection.enable_server_reflection([service.full_name for service in SERVICES], server)
    await server.start()
    try:
        yield home
    finally:
        await channel.close()
        await server.stop(None)
        for event in book.held.values():
            event.set()
        await guard.drain()


def _servicer(home: House, service: ServiceDescriptor) -> Any:
    """A servicer with a method for each RPC, which notes the request and answers what the test wants.

    A stream's first message is noted, and answered once: to its caller it is like any other call.
    """

    def method(descriptor: MethodDescriptor) -> Any:
        async def answer(request: Any, context: Any) -> Message:
            if descriptor.client_streaming:
                request = await anext(request)
            home.reached.append((descriptor.name, request, caller()))
            if descriptor.name in home.answers:
                return await home.answers[descriptor.name](request)
            return GetMessageClass(descriptor.output_type)()

        async def stream(request: Any, context: Any) -> AsyncIterator[Message]:
            yield await answer(request, context)

        return staticmethod(stream if descriptor.server_streaming else answer)

    return type(service.name, (), {one.name: method(one) for one in service.methods})()


def action(method: MethodDescriptor) -> str:
    """What the law knows it by."""
    options: Any = method.GetOptions()
    name: str = options.Extensions[policy_pb2.method_policy].action
    return name


def named(method: str) -> MethodDescriptor:
    """The method of that name."""
    return next(one for one in METHODS if one.name == method)


EXAMPLES = {
    "letters, digits, '_', '-', '.' and ':'": "ada",
    "collections/{collection}/people/{person}": "collections/news/people/ada",
    "collections/{collection}/faces/{face} or collections/{collection}/people/{person}": (
        "collections/news/people/ada"
    ),
    "moderationExamples/{example}, its last part a lowercase UUID": (
        "moderationExamples/00000000-0000-4000-8000-000000000000"
    ),
    "letters, digits, '_', '-' and '.'": "c",
    "collections/{collection}": "collections/c",
    "collections/{collection}/faces/{face}": (
        "collections/c/faces/00000000-0000-7000-8000-000000000000"
    ),
    "an action such as face.search": "face.search",
    "reviews/{review}": "reviews/00000000-0000-7000-8000-000000000000",
    "": "anything",
}
"""A value for each kind of required string, by the words of its limits."""


def valid(method: MethodDescriptor) -> Any:
    """A request that every check lets through: what is required, and nothing else."""
    request: Any = GetMessageClass(method.input_type)()
    for required in method.input_type.fields:
        limits = limits_of(required)
        if not limits.required:
            continue
        if required.message_type is not None:
            getattr(request, required.name).content = b"x"
        elif required.enum_type is not None:
            one = [1] if required.is_repeated else 1
            request.MergeFrom(type(request)(**{required.name: one}))
        elif required.is_repeated:
            getattr(request, required.name).append(EXAMPLES[limits.wants])
        else:
            setattr(request, required.name, EXAMPLES[limits.wants])
    return request


def detail(error: grpc.aio.AioRpcError, kind: type[Message]) -> Any:
    """The detail of that kind in a refusal; None when there is none."""
    status = rpc_status.from_call(error)
    for packed in status.details if status else ():
        found = kind()
        if packed.Unpack(found):
            return found
    return None


def reason(error: grpc.aio.AioRpcError) -> str:
    """The refusal's ErrorInfo reason."""
    info = detail(error, error_details_pb2.ErrorInfo)
    assert info is not None
    assert info.domain == "beholden.dev"
    return str(info.reason)
