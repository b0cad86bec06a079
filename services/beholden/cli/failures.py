"""What went wrong, as a person or a program needs it, and the exit code that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status


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
    code = error.code()
    failure = Failure(message=error.details() or code.name, status=code.name)
    failure.decision_id = decision_id(error)
    _read_details(error, failure)
    if not failure.reason:
        _explain_transport(code, failure, server, timeout)
    elif failure.reason == "TOKEN_MISSING":
        failure.hint = "say who asks: --as TENANT, --token or --token-file"
    elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
        failure.hint = _LONGER
    return failure


def decision_id(call: grpc.Call | grpc.RpcError) -> str:
    """The ledger's id of the call's decision; empty where none was made."""
    trailing: Any = call.trailing_metadata()
    return str(dict(trailing or ()).get("beholden-decision-id", ""))


def _read_details(error: grpc.RpcError, failure: Failure) -> None:
    try:
        status = rpc_status.from_call(error)
    except ValueError:
        # The details contradict the status: whoever answered is not to be believed about them.
        return
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    several = error_details_pb2.PreconditionFailure()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            failure.reason = info.reason
            failure.details = dict(info.metadata)
        elif detail.Unpack(bad):
            failure.fields = tuple((item.field, item.description) for item in bad.field_violations)
        elif detail.Unpack(several) and failure.exit_code is ExitCode.REFUSED:
            failure.laws = tuple((one.subject, one.description) for one in several.violations)
        elif detail.Unpack(retry):
            failure.retry_after = retry.retry_delay.ToTimedelta().total_seconds()


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
