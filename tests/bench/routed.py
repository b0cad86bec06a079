"""Channels to several services behind the few methods that asynchronous stubs use."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc


class Routed:
    """Gives each stub's method to the channel of its service; "" answers for any."""

    def __init__(self, channels: Mapping[str, grpc.aio.Channel]) -> None:
        self._channels = channels

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """See grpc.aio.Channel; the others likewise."""
        return self._to(method).unary_unary(method, *args, **kwargs)

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """See `unary_unary`."""
        return self._to(method).unary_stream(method, *args, **kwargs)

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """See `unary_unary`."""
        return self._to(method).stream_unary(method, *args, **kwargs)

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """See `unary_unary`."""
        return self._to(method).stream_stream(method, *args, **kwargs)

    def _to(self, method: str) -> grpc.aio.Channel:
        service = method.split("/")[1]
        return self._channels.get(service) or self._channels[""]


@asynccontextmanager
async def routed(places: Mapping[str, str]) -> AsyncIterator[Any]:
    """A channel to each address; full gRPC service names to host:port."""
    async with AsyncExitStack() as stack:
        channels = {
            service: await stack.enter_async_context(grpc.aio.insecure_channel(address))
            for service, address in places.items()
        }
        yield Routed(channels)
