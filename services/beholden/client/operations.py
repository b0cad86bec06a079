"""Long-running work: begun, watched, waited for, cancelled."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

import grpc
from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message

from beholden.client.answers import Answer
from beholden.client.errors import DeadlineExceeded, of_status
from beholden.client.requests import Rpc

Response = TypeVar("Response", bound=Message)
Metadata = TypeVar("Metadata", bound=Message)


def _rpc(name: str, response: type[Message] = operations_pb2.Operation) -> Rpc[Any, Any]:
    request = getattr(operations_pb2, f"{name}Request")
    return Rpc(f"/google.longrunning.Operations/{name}", request, response)


_GET, _WAIT = _rpc("GetOperation"), _rpc("WaitOperation")
_CANCEL = _rpc("CancelOperation", Empty)

_WATCHED = 1.0
_UNWATCHED = 15.0


class Known(Generic[Response, Metadata]):
    """What is known of an operation since it was last asked about."""

    def __init__(
        self, begun: Answer[Any], response: type[Response], metadata: type[Metadata]
    ) -> None:
        self._operation = begun.message
        self._kinds = response, metadata
        self.decision_id = begun.decision_id
        """The decision that let it begin."""

    @property
    def name(self) -> str:
        """`operations/{operation}`; by it another client finds it again."""
        return str(self._operation.name)

    @property
    def done(self) -> bool:
        """Whether it is over, well or badly."""
        return bool(self._operation.done)

    @property
    def metadata(self) -> Metadata:
        """How far it is."""
        told = self._kinds[1]()
        self._operation.metadata.Unpack(told)
        return told

    def _result(self) -> Response:
        if self._operation.HasField("error"):
            raise of_status(self._operation.error, self.decision_id)
        result = self._kinds[0]()
        self._operation.response.Unpack(result)
        return result

    def _wait(self, end: float | None, *, watched: bool) -> Any:
        """The request that waits until it is over, or `end`, or for as long as one call may."""
        left = _WATCHED if watched else _UNWATCHED
        if end is not None:
            left = min(left, end - time.monotonic())
        if left <= 0:
            message = f"{self.name} is not over yet"
            raise DeadlineExceeded(
                grpc.StatusCode.DEADLINE_EXCEEDED, message, decision_id=self.decision_id
            )
        timeout = Duration(nanos=int(left * 1e9) % 10**9, seconds=int(left))
        return operations_pb2.WaitOperationRequest(name=self.name, timeout=timeout)


class Operation(Known[Response, Metadata]):
    """An operation; `ask` makes a call of google.longrunning.Operations."""

    def __init__(
        self,
        ask: Callable[[Rpc[Any, Any], Message], Answer[Any]],
        begun: Answer[Any],
        response: type[Response],
        metadata: type[Metadata],
    ) -> None:
        super().__init__(begun, response, metadata)
        self._ask = ask

    def refresh(self) -> None:
        """Asks how far it is. Raises Error."""
        self._call(_GET, operations_pb2.GetOperationRequest(name=self.name))

    def wait(
        self,
        timeout: float | None = None,
        *,
        progress: Callable[[Metadata], None] | None = None,
    ) -> Response:
        """The result, once it is there; `progress` is told every second how far it is.

        Raises:
            DeadlineExceeded: it is not there after `timeout` seconds; the operation goes on.
            Error: the operation failed, was cancelled, or cannot be asked about.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while not self.done:
            self._call(_WAIT, self._wait(end, watched=progress is not None))
            if progress:
                progress(self.metadata)
        return self._result()

    def cancel(self) -> None:
        """Ends it; what it found until then stays. Raises Error."""
        asked = operations_pb2.CancelOperationRequest(name=self.name)
        self._ask(_CANCEL, asked)

    def _call(self, rpc: Rpc[Any, Any], request: Any) -> None:
        self._operation = self._ask(rpc, request).message


class AsyncOperation(Known[Response, Metadata]):
    """See `Operation`."""

    def __init__(
        self,
        ask: Callable[[Rpc[Any, Any], Message], Awaitable[Answer[Any]]],
        begun: Answer[Any],
        response: type[Response],
        metadata: type[Metadata],
    ) -> None:
        super().__init__(begun, response, metadata)
        self._ask = ask

    async def refresh(self) -> None:
        """See `Operation`; the others likewise."""
        await self._call(_GET, operations_pb2.GetOperationRequest(name=self.name))

    async def wait(
        self,
        timeout: float | None = None,
        *,
        progress: Callable[[Metadata], None] | None = None,
    ) -> Response:
        """See `refresh`."""
        end = None if timeout is None else time.monotonic() + timeout
        while not self.done:
            await self._call(_WAIT, self._wait(end, watched=progress is not None))
            if progress:
                progress(self.metadata)
        return self._result()

    async def cancel(self) -> None:
        """See `refresh`."""
        asked = operations_pb2.CancelOperationRequest(name=self.name)
        await self._ask(_CANCEL, asked)

    async def _call(self, rpc: Rpc[Any, Any], request: Any) -> None:
        self._operation = (await self._ask(rpc, request)).message
