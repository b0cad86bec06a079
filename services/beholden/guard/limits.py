"""Lets in only as much as can be served: calls at a time, seconds a call, bytes a request."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from google.protobuf.message import Message

from beholden.core.errors import DeadlineExceeded, ResourceExhausted
from beholden.guard.call import Call, Next
from beholden.guard.settings import LimitsSettings

_RETRY_AFTER = 1.0


class Limits:
    """Counts calls in progress, sets the call's deadline, and only then takes its request off the wire."""

    def __init__(self, settings: LimitsSettings) -> None:
        self._settings = settings
        self._tenants: Counter[str] = Counter()

    async def __call__(self, call: Call, proceed: Next) -> Message:
        """Raises ResourceExhausted, or DeadlineExceeded when the call does not end in time."""
        if call.remaining is not None and call.remaining <= 0:
            raise DeadlineExceeded("the deadline had passed before the call began")
        wanted = self._settings.default_timeout if call.remaining is None else call.remaining
        granted = min(wanted, self._settings.max_timeout)
        call.deadline = asyncio.get_running_loop().time() + granted
        with self._admitted(call.principal.tenant):
            try:
                async with asyncio.timeout_at(call.deadline) as timeout:
                    call.raw = await call.receive()
                    self._check_size(call)
                    return await proceed(call)
            except TimeoutError:
                if not timeout.expired():
                    raise
                raise DeadlineExceeded(f"the call did not end within {granted:.3g} s") from None

    def _check_size(self, call: Call) -> None:
        pictures = bool(call.method.facts.media)
        settings = self._settings
        most = settings.max_picture_request_bytes if pictures else settings.max_request_bytes
        if len(call.raw) > most:
            raise ResourceExhausted(
                f"the request has {len(call.raw)} bytes, at most {most} are taken"
            )

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
