"""What a call may fail with. Each says why, and what would help.

Error:
├── InvalidArgument      the request is wrong: `fields` names where
├── Unauthenticated      no token, or one that is not taken
├── Denied               the law refuses: `law`, `since`, `until`, `lifted_by`
├── NotFound
├── AlreadyExists
├── FailedPrecondition   not in the state that the call needs
├── ResourceExhausted    too much at once, or a quota: `retry_after`
├── DeadlineExceeded     no answer in time
└── Unavailable          nobody answers, or an engine does not: `retry_after`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.rpc import error_details_pb2, status_pb2

_DETAILS = "grpc-status-details-bin"


class Error(Exception):
    """A call that failed.

    Attributes:
        status: The gRPC status.
        message: Why, in words for people.
        reason: A name of the `ErrorReason` enum; empty where the server did not say.
        fields: Of a wrong request, each field and its problem.
        details: What the server's `google.rpc.ErrorInfo` carries besides.
        laws: Of a refusal by several laws, each and what it says; of another error the conditions
            that were not met.
        retry_after: Seconds after which another try may succeed; None where the server did not say.
        decision_id: The decision's name in the ledger; empty where none was made.
    """

    def __init__(
        self,
        status: grpc.StatusCode,
        message: str,
        details: Iterable[Packed] = (),
        decision_id: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = ""
        self.fields: tuple[tuple[str, str], ...] = ()
        self.details: Mapping[str, str] = {}
        self.laws: tuple[tuple[str, str], ...] = ()
        self.retry_after: float | None = None
        self.decision_id = decision_id
        self._read(details)

    def _read(self, details: Iterable[Packed]) -> None:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        retry, several = error_details_pb2.RetryInfo(), error_details_pb2.PreconditionFailure()
        for detail in details:
            if detail.Unpack(info):
                self.reason, self.details = info.reason, dict(info.metadata)
            elif detail.Unpack(bad):
                self.fields = tuple((one.field, one.description) for one in bad.field_violations)
            elif detail.Unpack(several):
                self.laws = tuple((one.subject, one.description) for one in several.violations)
            elif detail.Unpack(retry):
                self.retry_after = retry.retry_delay.ToTimedelta().total_seconds()


class InvalidArgument(Error):
    """The request is wrong."""


class Unauthenticated(Error):
    """Nobody known is calling."""


class Denied(Error):
    """The law refuses the call, or the caller may not make it."""

    @property
    def law(self) -> str:
        """The law's entry that comes first, for example "amazon-2021/police-face-comparison"."""
        return self.details.get("law", "")

    @property
    def since(self) -> str:
        """The day since when it holds, as ISO 8601; empty where it does not say."""
        return self.details.get("since", "")

    @property
    def until(self) -> str:
        """The day until when; empty until further notice."""
        return self.details.get("until", "")

    @property
    def lifted_by(self) -> str:
        """What would lift it."""
        return self.details.get("lifted_by", "")


class NotFound(Error):
    """What is named is not there."""


class AlreadyExists(Error):
    """It is there already."""


class FailedPrecondition(Error):
    """The system is not in the state that the call needs."""


class ResourceExhausted(Error):
    """A limit is reached."""


class DeadlineExceeded(Error):
    """No answer came in time."""


class Unavailable(Error):
    """Nobody can answer now."""


_KINDS: Mapping[grpc.StatusCode, type[Error]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: Denied,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhausted,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
}
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def of_call(error: grpc.RpcError) -> Error:
    """The error of a failed call, sync or async."""
    told: Any = error
    code = told.code() or grpc.StatusCode.UNKNOWN
    metadata = pairs(told.trailing_metadata())
    status = status_pb2.Status.FromString(metadata.get(_DETAILS, b""))
    # Details that contradict the status are not believed.
    details = status.details if status.code == code.value[0] else ()
    kind = _KINDS.get(code, Error)
    return kind(
        code, told.details() or code.name, details, metadata.get("beholden-decision-id", "")
    )


def of_status(status: status_pb2.Status, decision_id: str = "") -> Error:
    """The error that `status` is, of an operation or of one item of many."""
    code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
    return _KINDS.get(code, Error)(code, status.message, status.details, decision_id)


def pairs(metadata: Any) -> dict[str, Any]:
    """A call's metadata by key; keys that end in -bin have bytes."""
    return dict(metadata or ())
