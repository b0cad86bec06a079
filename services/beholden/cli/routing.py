"""`--server up`: each call goes to the service, of those that `beholden up` started, that answers it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc

from beholden.cli.failures import Failure
from beholden.client.closing import Closing
from beholden.client.connecting import NONE, channel

UP = "up"
"""The server's name that means these services."""


def endpoints() -> dict[str, str]:
    """Where each service answers, full gRPC names to host:port. Raises Failure when nothing is up."""
    folder = Path(os.environ.get("BEHOLDEN_UP") or "var/up")
    try:
        found: dict[str, str] = json.loads((folder / "endpoints.json").read_text())
    except (OSError, ValueError):
        raise Failure(
            f"nothing is up in {folder}", "UNAVAILABLE", hint="start it with `beholden up`"
        ) from None
    return found


class RoutedChannel(Closing, grpc.Channel):
    """One channel a service behind the interface of one."""

    def __init__(self, places: dict[str, str]) -> None:
        self._channels = {service: channel(address, NONE) for service, address in places.items()}

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """See `grpc.Channel`; the others likewise."""
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

    def subscribe(
        self,
        callback: Callable[[grpc.ChannelConnectivity], None],
        try_to_connect: bool | None = False,
    ) -> None:
        """There is no one connection to watch."""
        raise NotImplementedError

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        """See `subscribe`."""
        raise NotImplementedError

    def close(self) -> None:
        """Lets go of every connection."""
        for one in self._channels.values():
            one.close()

    def _to(self, method: str) -> grpc.Channel:
        service = method.split("/")[1]
        if service not in self._channels:
            raise Failure(f"{service} is not up", "UNAVAILABLE", hint="see `beholden status`")
        return self._channels[service]
