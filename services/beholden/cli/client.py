"""The commands' calls to a server: `beholden.client`, with failures in the words of a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from beholden.cli.failures import Failure, from_rpc
from beholden.cli.routing import UP, RoutedChannel, endpoints
from beholden.client.answers import Answer, answer
from beholden.client.closing import Closing
from beholden.client.connecting import NONE, Certificates, channel

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Stub = TypeVar("Stub")

# A person wants to know soon that nobody answers.
_PATIENCE = 1.0


class Client(Closing):
    """One connection. `address` is host:port, https://host:port for TLS, or "up"; `timeout` in seconds.

    Raises Failure for certificates that do not do.
    """

    def __init__(
        self,
        address: str,
        metadata: Sequence[tuple[str, str]],
        timeout: float,
        certificates: Certificates = NONE,
    ) -> None:
        self._address = address
        self._metadata = tuple(metadata)
        self._timeout = timeout
        self._channel: grpc.Channel
        if address == UP:
            self._channel = RoutedChannel(endpoints())
            return
        try:
            self._channel = channel(address, certificates, patience=_PATIENCE)
        except (OSError, ValueError) as error:
            raise Failure(str(error), "INVALID_ARGUMENT") from None

    def stub(self, kind: Callable[[grpc.Channel], Stub]) -> Stub:
        """The generated stub `kind` on this connection."""
        return kind(self._channel)

    def call(
        self, method: grpc.UnaryUnaryMultiCallable[Request, Response], request: Request
    ) -> Answer[Response]:
        """Makes one call. Raises Failure."""
        try:
            message, call = method.with_call(
                request, timeout=self._timeout, metadata=self._metadata
            )
        except grpc.RpcError as error:
            raise from_rpc(error, self._address, self._timeout) from None
        return answer(message, call.trailing_metadata())

    def pages(
        self, method: grpc.UnaryUnaryMultiCallable[Any, Response], request: Message
    ) -> Iterator[Response]:
        """Calls `method` until its pages end; `request` has a `page_token`. Raises Failure."""
        page: Any = request
        while True:
            response: Any = self.call(method, page).message
            yield response
            if not response.next_page_token:
                return
            page.page_token = response.next_page_token

    def stream(
        self, method: grpc.StreamStreamMultiCallable[Request, Response], requests: Iterator[Request]
    ) -> Iterator[Response]:
        """Makes one call of many messages and many answers, without a deadline. Raises Failure."""
        try:
            yield from method(requests, metadata=self._metadata)
        except grpc.RpcError as error:
            raise from_rpc(error, self._address, self._timeout) from None

    def answers(
        self, method: grpc.UnaryStreamMultiCallable[Request, Response], request: Request
    ) -> Iterator[Response]:
        """Makes one call of many answers, without a deadline. Raises Failure."""
        try:
            yield from method(request, metadata=self._metadata)
        except grpc.RpcError as error:
            raise from_rpc(error, self._address, self._timeout) from None

    def upload(
        self, method: grpc.StreamUnaryMultiCallable[Request, Response], requests: Iterator[Request]
    ) -> Answer[Response]:
        """Makes one call of many messages, without a deadline. Raises Failure."""
        try:
            message, call = method.with_call(requests, metadata=self._metadata)
        except grpc.RpcError as error:
            raise from_rpc(error, self._address, self._timeout) from None
        return answer(message, call.trailing_metadata())

    def close(self) -> None:
        """Lets go of the connection."""
        self._channel.close()
