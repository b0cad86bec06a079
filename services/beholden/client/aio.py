"""What `calls` has, for asyncio."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, Unpack

import grpc
from google.longrunning import operations_pb2
from google.protobuf.message import Message

from beholden.client import connecting, declarations
from beholden.client.answers import Answer, answer
from beholden.client.connecting import Certificates, File
from beholden.client.declarations import Said
from beholden.client.errors import of_call, pairs
from beholden.client.operations import AsyncOperation
from beholden.client.requests import Rpc, filled

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Metadata = TypeVar("Metadata", bound=Message)
Item = TypeVar("Item")

AsyncToken = str | Callable[[], str | Awaitable[str]]
"""See `calls.Token`; it may also be awaited."""


class AsyncCalls:
    """One connection to a server; made where an event loop runs."""

    def __init__(
        self,
        address: str = "127.0.0.1:50051",
        *,
        token: AsyncToken = "",
        ca: File | None = None,
        certificate: File | None = None,
        key: File | None = None,
        **said: Unpack[Said],
    ) -> None:
        declarations.check(said)
        self._said = Said(timeout=30.0) | said
        self._token = token
        self._channel = connecting.aio_channel(address, Certificates(ca, certificate, key))

    @property
    def channel(self) -> grpc.aio.Channel:
        """The connection, for generated stubs."""
        return self._channel

    async def close(self) -> None:
        """Lets go of the connection; calls in progress end."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def operation(
        self,
        name: str,
        response: type[Response],
        metadata: type[Metadata],
        **said: Unpack[Said],
    ) -> AsyncOperation[Response, Metadata]:
        """One that was begun before, by its name. Raises Error."""
        known: Answer[Any] = Answer(operations_pb2.Operation(name=name), "")
        found = AsyncOperation(self._asking(said), known, response, metadata)
        await found.refresh()
        return found

    async def _how(self, said: Said, *, stream: bool = False) -> dict[str, Any]:
        """How a call is made; streams have the deadline that they are given themselves, or none."""
        declarations.check(said)
        whole = self._said | said
        token = self._token() if callable(self._token) else self._token
        if inspect.isawaitable(token):
            token = await token
        return {
            "metadata": [*declarations.bearer(token), *declarations.metadata(whole)],
            "timeout": (said if stream else whole).get("timeout"),
        }

    async def _unary(
        self, rpc: Rpc[Request, Response], request: Request, said: Said
    ) -> Answer[Response]:
        method = self._channel.unary_unary(rpc.path, **rpc.codec)
        call = method(request, **await self._how(said))
        try:
            message = await call
        except grpc.RpcError as error:
            raise of_call(error) from None
        return answer(message, await call.trailing_metadata())

    async def _answer(
        self,
        rpc: Rpc[Request, Response],
        fields: Mapping[str, Any],
        said: Said,
    ) -> Answer[Response]:
        return await self._unary(rpc, await asyncio.to_thread(filled, rpc.request, fields), said)

    def _pages(
        self,
        rpc: Rpc[Request, Response],
        fields: Mapping[str, Any],
        items: Callable[[Response], Iterable[Item]],
        said: Said,
    ) -> AsyncPages[Item, Response]:
        page: Any = filled(rpc.request, fields)

        def ask(token: str) -> Awaitable[Answer[Response]]:
            page.page_token = token
            return self._unary(rpc, page, said)

        return AsyncPages(ask, page.page_token, items)

    def _stream(
        self,
        rpc: Rpc[Request, Response],
        fields: Mapping[str, Any],
        said: Said,
    ) -> AsyncStream[Response]:
        async def begin() -> Any:
            method = self._channel.unary_stream(rpc.path, **rpc.codec)
            return method(filled(rpc.request, fields), **await self._how(said, stream=True))

        return AsyncStream(begin)

    async def _upload(
        self,
        rpc: Rpc[Request, Response],
        first: Mapping[str, Any],
        name: str,
        others: Iterable[Any] | AsyncIterable[Any],
        said: Said,
    ) -> Answer[Response]:
        method = self._channel.stream_unary(rpc.path, **rpc.codec)
        sent = AsyncSent(rpc.request, first, name, others)
        call = method(aiter(sent), **await self._how(said, stream=True))
        try:
            message = await call
        except (grpc.RpcError, asyncio.CancelledError) as error:
            raise _blame(error, sent) from None
        return answer(message, await call.trailing_metadata())

    def _exchange(
        self,
        rpc: Rpc[Request, Response],
        first: Mapping[str, Any],
        name: str,
        others: Iterable[Any] | AsyncIterable[Any],
        said: Said,
    ) -> AsyncStream[Response]:
        sent = AsyncSent(rpc.request, first, name, others)

        async def begin() -> Any:
            method = self._channel.stream_stream(rpc.path, **rpc.codec)
            return method(aiter(sent), **await self._how(said, stream=True))

        return AsyncStream(begin, sent)

    async def _operation(
        self,
        rpc: Rpc[Request, Any],
        fields: Mapping[str, Any],
        kinds: tuple[type[Response], type[Metadata]],
        said: Said,
    ) -> AsyncOperation[Response, Metadata]:
        made = await asyncio.to_thread(filled, rpc.request, fields)
        begun = await self._unary(rpc, made, said)
        return AsyncOperation(self._asking(said), begun, *kinds)

    def _asking(self, said: Said) -> Callable[[Rpc[Any, Any], Message], Awaitable[Answer[Any]]]:
        def ask(rpc: Rpc[Any, Any], request: Message) -> Awaitable[Answer[Any]]:
            return self._unary(rpc, request, said)

        return ask


class AsyncPages(Generic[Item, Response]):
    """See `calls.Pages`."""

    def __init__(
        self,
        ask: Callable[[str], Awaitable[Answer[Response]]],
        first: str,
        items: Callable[[Response], Iterable[Item]],
    ) -> None:
        self._ask = ask
        self._first = first
        self._items = items

    async def __aiter__(self) -> AsyncIterator[Item]:
        """Item after item. Raises Error."""
        async for page in self.pages():
            for item in self._items(page.message):
                yield item

    async def pages(self) -> AsyncIterator[Answer[Response]]:
        """Page after page. Raises Error."""
        token, more = self._first, True
        while more:
            page = await self._ask(token)
            yield page
            said: Any = page.message
            token = said.next_page_token
            more = bool(token)


class AsyncSent(Generic[Request]):
    """See `calls.Sent`."""

    def __init__(
        self,
        kind: type[Request],
        first: Mapping[str, Any],
        name: str,
        others: Iterable[Any] | AsyncIterable[Any],
    ) -> None:
        self._kind = kind
        self._first = first
        self._name = name
        self._others = others
        self.failed: Exception | None = None

    async def __aiter__(self) -> AsyncIterator[Request]:
        try:
            yield filled(self._kind, self._first)
            async for other in _asynchronous(self._others):
                yield await asyncio.to_thread(filled, self._kind, {self._name: other})
        except Exception as error:
            self.failed = error
            raise


class AsyncStream(Generic[Response]):
    """See `calls.Stream`; the call is made when the first answer is asked for."""

    def __init__(
        self, begin: Callable[[], Awaitable[Any]], sent: AsyncSent[Any] | None = None
    ) -> None:
        self._begin = begin
        self._sent = sent
        self._call: Any = None

    async def __aiter__(self) -> AsyncIterator[Response]:
        """Answer after answer. Raises Error, or what ended the messages that are sent."""
        self._call = self._call or await self._begin()
        try:
            async for message in self._call:
                yield message
        except (grpc.RpcError, asyncio.CancelledError) as error:
            raise _blame(error, self._sent) from None

    async def decision_id(self) -> str:
        """The decision's name in the ledger; waits for the end of the stream."""
        self._call = self._call or await self._begin()
        return str(pairs(await self._call.trailing_metadata()).get("beholden-decision-id", ""))

    def close(self) -> None:
        """Ends the call, if it is not over."""
        if self._call is not None:
            self._call.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


async def _asynchronous(items: Iterable[Item] | AsyncIterable[Item]) -> AsyncIterator[Item]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
        return
    for item in items:
        yield item


def _blame(error: BaseException, sent: AsyncSent[Any] | None) -> BaseException:
    """What to raise for `error`: a message that could not be made has ended the call."""
    if sent and sent.failed:
        return sent.failed
    return of_call(error) if isinstance(error, grpc.RpcError) else error
