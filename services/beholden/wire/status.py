"""Why one item of many failed, as google.rpc.Status."""

from __future__ import annotations

from google.rpc import code_pb2, error_details_pb2, status_pb2

from beholden.core.errors import (
    AlreadyExists,
    BeholdenError,
    InvalidArgument,
    LeftOut,
)

DOMAIN = "beholden.dev"

_CODES: dict[type[BeholdenError], int] = {
    AlreadyExists: code_pb2.ALREADY_EXISTS,
    LeftOut: code_pb2.FAILED_PRECONDITION,
    InvalidArgument: code_pb2.INVALID_ARGUMENT,
}
"""What one item may fail with while the others fare better; anything else ends the whole call."""


def status(error: BeholdenError) -> status_pb2.Status:
    """The item's status, with its reason, the name of what is there already, and why a face was left out."""
    answer = status_pb2.Status(code=_CODES[type(error)], message=error.message)
    answer.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN))
    if isinstance(error, AlreadyExists):
        answer.details.add().Pack(error_details_pb2.ResourceInfo(resource_name=error.name))
    if isinstance(error, LeftOut):
        violations = [
            error_details_pb2.PreconditionFailure.Violation(type=problem.value)
            for problem in error.problems
        ]
        answer.details.add().Pack(error_details_pb2.PreconditionFailure(violations=violations))
    return answer
