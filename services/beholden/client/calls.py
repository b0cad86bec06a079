"""A call of each shape, made and waited for; the methods that the protos name are built on these."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar, Unpack

import grpc
from google.longrunning import operations_pb2
from google.protobuf.message import Message

from beholden.client import connecting, declarations
from beholden.client.answers import Answer, answer
from beholden.client.closing import Closing
from beholden.client.connecting import Certificates, File
from beholden.client.declarations import Said
from beholden.client.errors import of_call, pairs
from beholden.client.operations import Operation
from beholden.client.requests import Rpc, filled

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Metadata = TypeVar("Metadata", bound=Message)
Item = TypeVar("Item")

Token = str | Callable[[], str]
"""A token, or what gives one: asked before each call, so it should keep one while that is good."""


class Calls(Closing):
    """One connection to a server."""

    def __init__(
        self,
        address: str = "127.0.0.1:50051",
        *,
        token: Token = "",
        ca: File | None = None,
        certificate: File | None = None,
        key: File | None = None,
        **said: Unpack[Said],
    ) -> None:
        declarations.check(said)
        self._said = Said(timeout=30.0) | said
        self._token = token
        self._channel = connecting.channel(address, Certificates(ca, certificate, key))

    @property
    def channel(self) -> grpc.Channel:
        """The connection, for generated stubs."""
        return self._channel

    def close(self) -> None:
        """Lets go of the connection; calls in progress end."""
        self._channel.close()

    def _how(self, said: Said, *, stream: bool = False) -> dict[str, Any]:
        """How a call is made; streams have the deadline that they are given themselves, or none."""
        declarations.check(said)
        whole = self._said | said
        token = self._token() if callable(self._token) else self._token
        return {
            "metadata": [*declarations.bearer(token), *declarations.metadata(whole)],
            "timeout": (said if stream else whole).get("timeout"),
        }

    def _unary(self, rpc: Rpc[Request, Response], request: Request, said: Said) -> Answer[Response]:
        method = self._channel.unary_unary(rpc.path, **rpc.codec)
        try:
            message, call = method.with_call(request, **self._how(said))
        except grpc.RpcError as error:
            raise of_call(error) from None
        return answer(message, call.trailing_metadata())

    def _answer(
        self,
        rpc: Rpc[Request, Response],
        fields: Mapping[str, Any],
        said: Said,
    ) -> Answer[Response]:
        return self._unary(rpc, filled(rpc.request, fields), said)

    def _pages(
        self,
        rpc: Rpc[Request, Response],
        fields: Mapping[str, Any],
        items: Callable[[Response], Iterable[Item]],
        said: Said,
    ) -> Pages[Item, Response]:
        page: Any = filled(rpc.request, fields)

        def ask(token: str) -> Answer[Response]:
            page.page_token = token
            return self._unary(rpc, page, said)

        return Pages(ask, page.page_token, items)

    def _stream(
        self,
        rpc: Rpc[Request, Response],
        fields: Mapping[str, Any],
        said: Said,
    ) -> Stream[Response]:
        method = self._channel.unary_stream(rpc.path, **rpc.codec)
        return Stream(method(filled(rpc.request, fields), **self._how(said, stream=True)))

    def _upload(
        self,
        rpc: Rpc[Request, Response],
        first: Mapping[str, Any],
        name: str,
        others: Iterable[Any],
        said: Said,
    ) -> Answer[Response]:
        method = self._channel.stream_unary(rpc.path, **rpc.codec)
        sent = Sent(rpc.request, first, name, others)
        try:
            message, call = method.with_call(iter(sent), **self._how(said, stream=True))
        except grpc.RpcError as error:
            raise sent.failed or of_call(error) from None
        return answer(message, call.trailing_metadata())

    def _exchange(
        self,
        rpc: Rpc[Request, Response],
        first: Mapping[str, Any],
        name: str,
        others: Iterable[Any],
        said: Said,
    ) -> Stream[Response]:
        method = self._channel.stream_stream(rpc.path, **rpc.codec)
        sent = Sent(rpc.request, first, name, others)
        return Stream(method(iter(sent), **self._how(said, stream=True)), sent)

    def operation(
        self,
        name: str,
        response: type[Response],
        metadata: type[Metadata],
        **said: Unpack[Said],
    ) -> Operation[Response, Metadata]:
        """One that was begun before, by its name. Raises Error."""
        known: Answer[Any] = Answer(operations_pb2.Operation(name=name), "")
        found = Operation(self._asking(said), known, response, metadata)
        found.refresh()
        return found

    def _operation(
        self,
        rpc: Rpc[Request, Any],
        fields: Mapping[str, Any],
        kinds: tuple[type[Response], type[Metadata]],
        said: Said,
    ) -> Operation[Response, Metadata]:
        begun = self._unary(rpc, filled(rpc.request, fields), said)
        return Operation(self._asking(said), begun, *kinds)

    def _asking(self, said: Said) -> Callable[[Rpc[Any, Any], Message], Answer[Any]]:
        def ask(rpc: Rpc[Any, Any], request: Message) -> Answer[Any]:
            return self._unary(rpc, request, said)

        return ask


class Pages(Generic[Item, Response]):
    """All items of a list, asked for page by page as they are taken."""

    def __init__(
        self,
        ask: Callable[[str], Answer[Response]],
        first: str,
        items: Callable[[Response], Iterable[Item]],
    ) -> None:
        self._ask = ask
        self._first = first
        self._items = items

    def __iter__(self) -> Iterator[Item]:
        """Item after item. Raises Error."""
        for page in self.pages():
            yield from self._items(page.message)

    def pages(self) -> Iterator[Answer[Response]]:
        """Page after page. Raises Error."""
        token, more = self._first, True
        while more:
            page = self._ask(token)
            yield page
            said: Any = page.message
            token = said.next_page_token
            more = bool(token)


class Sent(Generic[Request]):
    """The messages of a call, made as gRPC takes them; `failed` is why one could not be made.

    `others` are the field `name` of a message each.
    """

    def __init__(
        self, kind: type[Request], first: Mapping[str, Any], name: str, others: Iterable[Any]
    ) -> None:
        self._kind = kind
        self._first = first
        self._name = name
        self._others = others
        self.failed: Exception | None = None

    def __iter__(self) -> Iterator[Request]:
        try:
            yield filled(self._kind, self._first)
            for other in self._others:
                yield filled(self._kind, {self._name: other})
        except Exception as error:
            self.failed = error
            raise


class Stream(Closing, Generic[Response]):
    """Answers as they come. What is not read to its end should be closed, by `with` or `close`."""

    def __init__(self, call: Any, sent: Sent[Any] | None = None) -> None:
        self._call = call
        self._sent = sent

    def __iter__(self) -> Iterator[Response]:
        """Answer after answer. Raises Error, or what ended the messages that are sent."""
        try:
            yield from self._call
        except grpc.RpcError as error:
            failed = self._sent.failed if self._sent else None
            raise failed or of_call(error) from None

    @property
    def decision_id(self) -> str:
        """The decision's name in the ledger; waits for the end of the stream."""
        return str(pairs(self._call.trailing_metadata()).get("beholden-decision-id", ""))

    def close(self) -> None:
        """Ends the call, if it is not over."""
        self._call.cancel()
