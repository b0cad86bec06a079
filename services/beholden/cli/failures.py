"""What went wrong, as a person or a program needs it, and the exit code that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import grpc

from beholden.client.errors import Denied, of_call


class ExitCode(IntEnum):
    """What the command tells the shell; the README documents these."""

    OK = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    UNAUTHENTICATED = 4
    UNAVAILABLE = 5
    INTERRUPTED = 130


_EXIT_CODES = {
    "INVALID_ARGUMENT": ExitCode.USAGE,
    "PERMISSION_DENIED": ExitCode.REFUSED,
    "UNAUTHENTICATED": ExitCode.UNAUTHENTICATED,
    "UNAVAILABLE": ExitCode.UNAVAILABLE,
    "RESOURCE_EXHAUSTED": ExitCode.UNAVAILABLE,
    "DEADLINE_EXCEEDED": ExitCode.UNAVAILABLE,
}


@dataclass(eq=False)
class Failure(Exception):
    """A command that could not do what was asked.

    `status` is the canonical gRPC status name, `reason` a name of the `ErrorReason` enum, `fields`
    are request fields with their problems, `details` is what ErrorInfo carried (for a refusal: the
    law that comes first), `laws` are the laws of a refusal by several with what each says,
    `retry_after` is in seconds, `hint` says what would help.
    """

    message: str
    status: str = "FAILED"
    reason: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)
    laws: tuple[tuple[str, str], ...] = ()
    retry_after: float | None = None
    decision_id: str = ""
    hint: str = ""

    def __str__(self) -> str:
        return self.message

    @property
    def exit_code(self) -> ExitCode:
        """What the shell is told."""
        return _EXIT_CODES.get(self.status, ExitCode.FAILED)

    def document(self) -> dict[str, Any]:
        """The failure for programs, without what is empty."""
        whole = {
            "status": self.status,
            "reason": self.reason,
            "message": self.message,
            "fields": [{"field": name, "problem": problem} for name, problem in self.fields],
            "details": dict(self.details),
            "laws": [{"law": law, "message": message} for law, message in self.laws],
            "retry_after": self.retry_after,
            "decision_id": self.decision_id,
            "hint": self.hint,
        }
        return {"error": {key: value for key, value in whole.items() if value}}


_LONGER = "allow more with --timeout SECONDS"


def from_rpc(error: grpc.RpcError, server: str, timeout: float) -> Failure:
    """What a failed call to `server` under a deadline of `timeout` seconds says, rich details included."""
    told = of_call(error)
    code = told.status
    failure = Failure(
        message=told.message,
        status=code.name,
        reason=told.reason,
        fields=told.fields,
        details=told.details,
        laws=told.laws if isinstance(told, Denied) else (),
        retry_after=told.retry_after,
        decision_id=told.decision_id,
    )
    if not failure.reason:
        _explain_transport(code, failure, server, timeout)
    elif failure.reason == "TOKEN_MISSING":
        failure.hint = "say who asks: --as TENANT, --token or --token-file"
    elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
        failure.hint = _LONGER
    return failure


def _explain_transport(
    code: grpc.StatusCode, failure: Failure, server: str, timeout: float
) -> None:
    """Words for what gRPC itself reports, which is written for its own developers."""
    if code is grpc.StatusCode.UNAVAILABLE:
        failure.message = f"nothing answers at {server}"
        failure.hint = "start it with `beholden serve all`, or name another with --server"
    elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
        failure.message = f"{server} gave no answer within {timeout:g} s"
        failure.hint = _LONGER
    elif code is grpc.StatusCode.UNIMPLEMENTED:
        failure.message = f"{server} does not serve this call"
        failure.hint = "`beholden serve all` serves every call; see `beholden serve --help`"
    elif code is grpc.StatusCode.INTERNAL:
        failure.message = "the server failed"
        failure.hint = "its log says why"
