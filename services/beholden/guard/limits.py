"""Lets in only as much as can be served: calls at a time, seconds a call, bytes a request."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

from google.protobuf.message import Message

from beholden.core.errors import DeadlineExceeded, InvalidArgument, ResourceExhausted
from beholden.guard.call import Answer, Call, Next
from beholden.guard.settings import LimitsSettings

_RETRY_AFTER = 1.0


class Limits:
    """Counts calls in progress, sets the call's deadline, and only then takes its request off the wire."""

    def __init__(self, settings: LimitsSettings) -> None:
        self._settings = settings
        self._tenants: Counter[str] = Counter()

    async def __call__(self, call: Call, proceed: Next) -> Answer:
        """Raises ResourceExhausted, or DeadlineExceeded when the call does not end in time."""
        if call.remaining is not None and call.remaining <= 0:
            raise DeadlineExceeded("the deadline had passed before the call began")
        granted = self._granted(call)
        call.deadline = asyncio.get_running_loop().time() + granted
        with self._admitted(call.principal.tenant):
            try:
                async with asyncio.timeout_at(call.deadline) as timeout:
                    first = await self._received(call)
                    if first is None:
                        raise InvalidArgument(
                            "request", "was not sent, or is larger than the server takes"
                        )
                    call.raw, call.raw_rest = first, self._rest(call)
                    call.send = self._sent(call.send)
                    return await proceed(call)
            except TimeoutError:
                if not timeout.expired():
                    raise
                raise DeadlineExceeded(f"the call did not end within {granted:.3g} s") from None

    def _granted(self, call: Call) -> float:
        """How many seconds the call may take."""
        if call.method.streams:
            most = self._settings.max_stream_timeout
            return min(most, most if call.remaining is None else call.remaining)
        wanted = self._settings.default_timeout if call.remaining is None else call.remaining
        return min(wanted, self._settings.max_timeout)

    async def _received(self, call: Call) -> bytes | None:
        """The next message; None where there are no more."""
        raw = await self._awaited(call)
        pictures = bool(call.method.facts.media)
        settings = self._settings
        most = settings.max_picture_request_bytes if pictures else settings.max_request_bytes
        if raw is not None and len(raw) > most:
            raise ResourceExhausted(f"the request has {len(raw)} bytes, at most {most} are taken")
        return raw

    async def _awaited(self, call: Call) -> bytes | None:
        if not call.method.streams:
            return await call.receive()
        idle = self._settings.stream_idle_timeout
        try:
            async with asyncio.timeout(idle):
                return await call.receive()
        except TimeoutError:
            raise DeadlineExceeded(f"nothing came for {idle:g} s") from None

    def _sent(self, send: Callable[[Message], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        """A caller who reads no answers is not waited for without end either."""
        idle = self._settings.stream_idle_timeout

        async def sent(answer: Message) -> None:
            try:
                async with asyncio.timeout(idle):
                    await send(answer)
            except TimeoutError:
                raise DeadlineExceeded(f"the answers were not read for {idle:g} s") from None

        return sent

    async def _rest(self, call: Call) -> AsyncIterator[bytes]:
        while (raw := await self._received(call)) is not None:
            yield raw

    @contextmanager
    def _admitted(self, tenant: str) -> Iterator[None]:
        if self._tenants.total() >= self._settings.max_in_flight:
            raise ResourceExhausted("the server is at its most calls", retry_after=_RETRY_AFTER)
        if self._tenants[tenant] >= self._settings.max_in_flight_per_tenant:
            raise ResourceExhausted("the tenant is at its most calls", retry_after=_RETRY_AFTER)
        self._tenants[tenant] += 1
        try:
            yield
        finally:
            self._tenants[tenant] -= 1
            if not self._tenants[tenant]:
                del self._tenants[tenant]
