"""Turns what went wrong into what the caller is told: one table, and nothing of our insides."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from beholden.core.errors import (
    AlreadyExists,
    BeholdenError,
    DeadlineExceeded,
    Denied,
    FailedPrecondition,
    InvalidArgument,
    LeftOut,
    NotFound,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
)
from beholden.guard.call import Answer, Call, Next

DOMAIN = "beholden.dev"

STATUS: dict[type[BeholdenError], grpc.StatusCode] = {
    InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    NotFound: grpc.StatusCode.NOT_FOUND,
    AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    LeftOut: grpc.StatusCode.FAILED_PRECONDITION,
    Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    Denied: grpc.StatusCode.PERMISSION_DENIED,
    ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
}

# All of it travels as trailing metadata, of which clients take 8 KiB by default, the message twice
# and once percent-encoded.
_MOST_MESSAGE_BYTES = 1000
_MOST_VALUE_BYTES = 200
_MOST_VIOLATIONS = 10
_MOST_STATUS_BYTES = 3500

_PUSHBACK = "grpc-retry-pushback-ms"

_log = logging.getLogger(__name__)


class InvalidFields(InvalidArgument):
    """Several fields are wrong; `problems` are (dotted field, problem), the first is `field` itself."""

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__(*problems[0])
        self.problems = problems
        self.message = "; ".join(f"{field}: {problem}" for field, problem in problems)


class Refusal(Exception):
    """The call ends with this status instead of an answer; `metadata` goes with it."""

    def __init__(
        self,
        status: status_pb2.Status,
        code: grpc.StatusCode,
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(status.message)
        self.status = status
        self.code = code
        self.metadata = metadata


class Errors:
    """Maps every error to a `Refusal`; an unknown one is a bare INTERNAL, and a trace in the log."""

    async def __call__(self, call: Call, proceed: Next) -> Answer:
        """Lets cancellation through: nobody is there to be told."""
        try:
            return await proceed(call)
        except Exception as error:
            call.status = status_code(error)
            if call.status is grpc.StatusCode.INTERNAL:
                _log.exception(
                    "%s failed, decision %s", call.method.path, call.decision_id or "none"
                )
            elif isinstance(error, Unavailable):
                _log.warning("%s refused: %s", call.method.path, error.message)
            told = status(error, call.decision_id)
            raise Refusal(told, call.status, pushback(error, call.remaining)) from error


def status_code(error: BaseException) -> grpc.StatusCode:
    """The gRPC status of an error; INTERNAL for one that is none of ours."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    return grpc.StatusCode.INTERNAL


def status(error: Exception, decision_id: str = "") -> status_pb2.Status:
    """What the caller is told: the message and the details of `google.rpc` that fit the error."""
    code = status_code(error)
    if code is grpc.StatusCode.INTERNAL or not isinstance(error, BeholdenError):
        return status_pb2.Status(code=code_pb2.INTERNAL, message="internal error")
    answer = status_pb2.Status(code=code.value[0], message=clip(error.message, _MOST_MESSAGE_BYTES))
    for detail in _details(error, decision_id):
        answer.details.add().Pack(detail)
    while len(answer.details) > 1 and answer.ByteSize() > _MOST_STATUS_BYTES:
        del answer.details[-1]
    return answer


def pushback(error: Exception, remaining: float | None) -> tuple[tuple[str, str], ...]:
    """What RetryInfo says, as metadata that the retries of gRPC itself heed; negative: do not retry.

    Nor should who has `remaining` seconds, where that is less: their call would end without a reason.
    """
    if not isinstance(error, ResourceExhausted | Unavailable):
        return ()
    wait = error.retry_after
    if wait is None or (remaining is not None and wait > remaining):
        return ((_PUSHBACK, "-1"),)
    return ((_PUSHBACK, str(int(wait * 1000))),)


def clip(text: str, most: int) -> str:
    """The text, cut to at most `most` bytes of UTF-8."""
    encoded = text.encode("utf-8", "replace")
    return text if len(encoded) <= most else encoded[: most - 3].decode("utf-8", "ignore") + "..."


def _details(error: BeholdenError, decision_id: str) -> Iterator[Message]:
    said = _denial(error, decision_id) if isinstance(error, Denied) else {}
    yield error_details_pb2.ErrorInfo(
        reason=error.reason,
        domain=DOMAIN,
        metadata={key: clip(value, _MOST_VALUE_BYTES) for key, value in said.items() if value},
    )
    match error:
        case InvalidArgument():
            yield _bad_request(error)
        case NotFound() | AlreadyExists():
            yield error_details_pb2.ResourceInfo(
                resource_name=clip(error.name, _MOST_VALUE_BYTES), description=error.field
            )
        case FailedPrecondition():
            yield error_details_pb2.PreconditionFailure(
                violations=[
                    error_details_pb2.PreconditionFailure.Violation(
                        type=error.reason, description=clip(error.remedy, _MOST_VALUE_BYTES)
                    )
                ]
            )
        case Denied() if len(error.decision.reasons) > 1:
            yield _every_reason(error)
        case ResourceExhausted(retry_after=float() | int() as wait) | Unavailable(retry_after=wait):
            delay = Duration()
            delay.FromNanoseconds(int(wait * 1e9))
            yield error_details_pb2.RetryInfo(retry_delay=delay)


def _bad_request(error: InvalidArgument) -> error_details_pb2.BadRequest:
    problems = (
        error.problems if isinstance(error, InvalidFields) else ((error.field, error.problem),)
    )
    return error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(
                field=clip(field, _MOST_VALUE_BYTES), description=clip(problem, _MOST_VALUE_BYTES)
            )
            for field, problem in problems[:_MOST_VIOLATIONS]
        ]
    )


def _denial(error: Denied, decision_id: str) -> dict[str, str]:
    said = {"revision": error.decision.revision, "decision_id": decision_id}
    if error.decision.reasons:
        first = error.decision.reasons[0]
        said |= {
            "code": first.code,
            "law": first.law,
            "since": first.since,
            "until": first.until,
            "lifted_by": first.lifted_by,
        }
    return said


def _every_reason(error: Denied) -> error_details_pb2.PreconditionFailure:
    return error_details_pb2.PreconditionFailure(
        violations=[
            error_details_pb2.PreconditionFailure.Violation(
                type=reason.code,
                subject=clip(reason.law, _MOST_VALUE_BYTES),
                description=clip(reason.message, _MOST_VALUE_BYTES),
            )
            for reason in error.decision.reasons[:_MOST_VIOLATIONS]
        ]
    )
