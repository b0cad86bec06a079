"""Serves: binds, guards every call, says when it is ready, and drains when it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from opentelemetry import metrics, trace

from beholden.core.errors import FailedPrecondition
from beholden.guard.interceptor import Guard
from beholden.guard.keys import create_key_file
from beholden.policy.tenants import load_tenants
from beholden.runtime.allocator import trimmed
from beholden.runtime.health import Health
from beholden.runtime.needs import SERVICES
from beholden.runtime.settings import Settings
from beholden.runtime.telemetry import telemetry
from beholden.runtime.tls import server_credentials
from beholden.runtime.wiring import House, house

_log = logging.getLogger(__name__)

TRIM_SECONDS = 10.0
"""How long freed memory is kept for the next picture."""


async def serve(
    settings: Settings, names: Sequence[str] = SERVICES, ready: Callable[[str], None] | None = None
) -> None:
    """Runs until SIGINT or SIGTERM, then lets calls in progress end: see `answer`.

    `ready` is told the address once calls are answered. Raises whatever an engine raises that does
    not open, AnnotationError for an RPC that the law does not know, and FailedPrecondition when an
    address cannot be bound or a certificate cannot be read.
    """
    own = f"beholden-{names[0]}" if len(names) == 1 else "beholden"
    with telemetry(settings.telemetry, own), _told_to_stop() as stop:
        _development_key(settings)
        async with trimmed(TRIM_SECONDS):
            await answer(settings, names, stop, ready or (lambda _: None))


async def answer(
    settings: Settings, names: Sequence[str], stop: asyncio.Event, ready: Callable[[str], None]
) -> None:
    """Answers calls until `stop`, and then leaves in an order that fails none.

    First health says NOT_SERVING while calls are still taken (`notice_seconds`), so that whoever
    balances goes elsewhere; then no call is taken any more, and those in progress end
    (`drain_seconds`); last the engines are let go of.
    """
    async with house(settings, names) as home:
        guard = _guard(settings, home)
        server = grpc.aio.server(interceptors=[guard], options=_options(settings))
        for service in home.services:
            service.join(server)
        health = Health(
            {service.name: service.probe for service in home.services}, settings.health_seconds
        )
        health_pb2_grpc.add_HealthServicer_to_server(health.servicer, server)
        if settings.reflection:
            shown = (*(service.name for service in home.services), _HEALTH)
            reflection.enable_server_reflection((*shown, reflection.SERVICE_NAME), server)
        address = _bound(server, "listen", settings.listen, server_credentials(settings.tls))
        probed = _probed(settings, health)
        await health.start()
        await server.start()
        try:
            await probed.start()
            # What was loaded stays, so that no collection of garbage has to look through it, for a
            # tenth of a second each time, while calls wait.
            gc.collect()
            gc.freeze()
            ready(address)
            await stop.wait()
            _log.info(
                "stopping: calls are taken for %g s more, and have %g s then",
                settings.notice_seconds,
                settings.drain_seconds,
            )
            await health.drain()
            await asyncio.sleep(settings.notice_seconds)
        finally:
            await health.drain()
            await server.stop(settings.drain_seconds)
            await probed.stop(None)
            await guard.drain()


_HEALTH = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name


def _guard(settings: Settings, home: House) -> Guard:
    return Guard(
        [service.descriptor for service in home.services],
        policy=home.policy,
        ledger=home.ledger,
        reviews=home.reviews,
        shadow=home.shadow,
        tenants={name: one.facts() for name, one in load_tenants(settings.tenants).items()},
        settings=settings.guard,
        tracer=trace.get_tracer("beholden"),
        meter=metrics.get_meter("beholden"),
        reflection=settings.reflection,
        notifies=bool(settings.notices.url),
        authorities=home.authorities,
    )


def _options(settings: Settings) -> list[tuple[str, int]]:
    # The guard says which message is too large for its method; this bounds what is read at all.
    most = settings.guard.limits.max_picture_request_bytes + 64 * 1024
    return [
        ("grpc.max_receive_message_length", most),
        ("grpc.max_metadata_size", 32 * 1024),
        ("grpc.so_reuseport", 0),
        ("grpc.max_connection_age_ms", int(settings.connection_age_seconds * 1000)),
    ]


def _probed(settings: Settings, health: Health) -> grpc.aio.Server:
    """The server that answers nothing but health; it listens nowhere where no address is set."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    health_pb2_grpc.add_HealthServicer_to_server(health.servicer, server)
    if settings.health_listen:
        _bound(server, "health_listen", settings.health_listen, None)
    return server


def _bound(
    server: grpc.aio.Server, setting: str, listen: str, tls: grpc.ServerCredentials | None
) -> str:
    host, _, _ = listen.rpartition(":")
    try:
        port = server.add_secure_port(listen, tls) if tls else server.add_insecure_port(listen)
    except RuntimeError as error:
        raise FailedPrecondition(
            f"cannot listen on {listen}",
            remedy=f"another process may have it: set BEHOLDEN_{setting.upper()}",
        ) from error
    return f"{host}:{port}"


def _development_key(settings: Settings) -> None:
    """A first start on one machine works at once; whoever can read the key can call as anybody."""
    identity = settings.guard.identity
    if not identity.jwks_url and not identity.key_file.exists():
        create_key_file(identity.key_file)
        _log.warning(
            "made a development key, %s: tokens signed with it are believed", identity.key_file
        )


@contextmanager
def _told_to_stop() -> Iterator[asyncio.Event]:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
