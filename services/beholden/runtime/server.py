"""Serves: binds, guards every call, says when it is ready, and drains when it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from beholden.runtime.health import Health
from beholden.runtime.settings import Settings
from beholden.runtime.wiring import SERVICES, house

_log = logging.getLogger(__name__)


async def serve(
    settings: Settings, names: Sequence[str] = SERVICES, ready: Callable[[str], None] | None = None
) -> None:
    """Runs until SIGINT or SIGTERM, then lets calls in progress end (`drain_seconds`).

    `ready` is told the address once the server answers. Raises whatever an engine raises that
    does not open, and FailedPrecondition when the address cannot be bound.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with house(settings, names) as home:
        guard = guarded(settings, home)
        server = grpc.aio.server(interceptors=[guard], options=_options(settings))
        for service in home.services:
            service.join(server)
        health = Health({s.name: s.probe for s in home.services}, settings.health_seconds)
        health_pb2_grpc.add_HealthServicer_to_server(health.servicer, server)
        if settings.reflection:
            names = [service.name for service in home.services]
            reflection.enable_server_reflection(
                [
                    *names,
                    health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
                    reflection.SERVICE_NAME,
                ],
                server,
            )
