"""The calls to a server: channel, metadata, deadline, retries, and rich errors read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import Message

from beholden.cli.failures import decision_id, from_rpc
from beholden.cli.routing import UP, RoutedChannel, endpoints

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Stub = TypeVar("Stub")

_LARGEST_ANSWER = 64 * 1024 * 1024

_SAFE_TO_REPEAT = {
    "DetectionService": ("DetectFaces", "DetectLabels", "DetectText", "RedactImage"),
    "EmbeddingService": ("EmbedFaces", "CompareFaces"),
    "ModerationService": (
        "ModerateImage",
        "ListModerationLabels",
        "ListModerationExamples",
    ),
    "SearchService": (
        "GetCollection",
        "ListCollections",
        "ListFaces",
        "SearchFaces",
        "SearchFacesByImage",
        # Not a read, but each request carries an id by which it enrols once.
        "IndexFaces",
    ),
    "VideoService": ("ListVideoAnnotations",),
    "GovernanceService": (
        "ExplainAccess",
        "GetPolicyStatus",
        "ListDecisions",
        "VerifyLedger",
        "ListReviews",
        "GetReview",
    ),
}
_SERVICE_CONFIG = {
    "methodConfig": [
        {
            "name": [
                {"service": f"beholden.v1.{service}", "method": method}
                for service, methods in _SAFE_TO_REPEAT.items()
                for method in methods
            ],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.2s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}


@dataclass(frozen=True, slots=True)
class Answer(Generic[Response]):
    """A response and the id under which the ledger has its decision."""

    message: Response
    decision_id: str


class Client:
    """One connection. `address` is host:port, https://host:port for TLS, or "up"; `timeout` in seconds."""

    def __init__(self, address: str, metadata: Sequence[tuple[str, str]], timeout: float) -> None:
        self._address = address
        self._metadata = tuple(metadata)
        self._timeout = timeout
        options = [
            ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
            ("grpc.max_receive_message_length", _LARGEST_ANSWER),
        ]
        target = address.removeprefix("https://").rstrip("/")
        self._channel: grpc.Channel
        if address == UP:
            self._channel = RoutedChannel(endpoints(), options)
        elif address.startswith("https://"):
            self._channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(), options)
        else:
            self._channel = grpc.insecure_channel(target, options)

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
        return Answer(message, decision_id(call))

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
        return Answer(message, decision_id(call))

    def close(self) -> None:
        """Lets go of the connection."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
