"""grpc.health.v1: a service is SERVING while every engine that it needs can be asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from grpc_health.v1 import health, health_pb2

Probe = Callable[[], Awaitable[bool]]
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
LIVENESS = "liveness"
"""What is asked whether this process answers at all, whatever its engines do."""

_log = logging.getLogger(__name__)


class Health:
    """Asks each service's probe every `interval` seconds; "" is the whole server."""

    def __init__(self, probes: Mapping[str, Probe], interval: float) -> None:
        self.servicer = health.aio.HealthServicer()
        self._probes = probes
        self._interval = interval
        self._known: dict[str, bool] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Knows every service's state on return, then keeps watching."""
        await self._look()
        await self.servicer.set(LIVENESS, SERVING)
        self._task = asyncio.create_task(self._watch())

    async def drain(self) -> None:
        """Says NOT_SERVING for good, so that callers go elsewhere before the server stops."""
        if self._task is not None:
            self._task.cancel()
        await self.servicer.enter_graceful_shutdown()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            await self._look()

    async def _look(self) -> None:
        for service, probe in self._probes.items():
            await self._say(service, await self._ask(service, probe))
        await self._say("", all(self._known[service] for service in self._probes))

    async def _ask(self, service: str, probe: Probe) -> bool:
        try:
            async with asyncio.timeout(self._interval):
                return await probe()
        except Exception as error:  # noqa: BLE001 - whatever a probe trips over, it is not ready
            _log.warning("health: %s: %s", service, error)
            return False

    async def _say(self, service: str, ready: bool) -> None:
        if self._known.get(service) != ready:
            self._known[service] = ready
            await self.servicer.set(service, SERVING if ready else NOT_SERVING)
            _log.info("health: %s is %s", service or "server", "ready" if ready else "not ready")
