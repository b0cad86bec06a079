"""Everything that can go wrong with a call, as values; one place (the guard) maps them to gRPC statuses.

BeholdenError
├── InvalidArgument     a field of the request is wrong; names it and says what would be right
├── NotFound            a resource the caller names does not exist for this tenant
├── AlreadyExists       a resource with this name is there already
├── FailedPrecondition  the system is not in the state the call needs; says what would help
│   └── LeftOut         a face that was found is not good enough to be enrolled
├── Unauthenticated     who is calling is not known
├── Denied              the law refuses the call; carries the decision
├── ResourceExhausted   too much at once or too large; carries when to try again
├── DeadlineExceeded    the caller's time ran out
└── Unavailable         an engine cannot answer now; carries when to try again
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from beholden.core.faces import UnindexedReason
    from beholden.core.law import Decision


class BeholdenError(Exception):
    """The root. `reason` is a name of the `ErrorReason` enum in protos/beholden/v1/errors.proto."""

    reason = "ERROR_REASON_UNSPECIFIED"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if reason is not None:
            self.reason = reason


class InvalidArgument(BeholdenError):
    """The request's `field` (a dotted proto path) is wrong; the message says what would be right."""

    reason = "INVALID_FIELD"

    def __init__(self, field: str, message: str, *, reason: str | None = None) -> None:
        super().__init__(f"{field}: {message}", reason=reason)
        self.field = field
        self.problem = message


class NotFound(BeholdenError):
    """The resource `name` does not exist for the caller's tenant."""

    reason = "RESOURCE_NOT_FOUND"

    def __init__(self, name: str, *, field: str = "name") -> None:
        super().__init__(f"{field}: {name} does not exist")
        self.name = name
        self.field = field


class AlreadyExists(BeholdenError):
    """The resource `name` exists already."""

    reason = "RESOURCE_EXISTS"

    def __init__(self, name: str, *, field: str = "name") -> None:
        super().__init__(f"{field}: {name} exists already")
        self.name = name
        self.field = field


class FailedPrecondition(BeholdenError):
    """The system is not in the state that the call needs; `remedy` is a command or act that helps."""

    reason = "PRECONDITION_FAILED"

    def __init__(self, message: str, *, remedy: str = "", reason: str | None = None) -> None:
        super().__init__(f"{message}; {remedy}" if remedy else message, reason=reason)
        self.remedy = remedy


class LeftOut(FailedPrecondition):
    """A face was found, but is not good enough to be enrolled, for these `problems`."""

    def __init__(self, problems: Sequence[UnindexedReason]) -> None:
        said = ", ".join(problem.value.lower().replace("_", " ") for problem in problems)
        super().__init__(f"a face was left out: {said}")
        self.problems = tuple(problems)


class Unauthenticated(BeholdenError):
    """The caller's identity is missing, expired, forged or not for us."""

    reason = "TOKEN_INVALID"


class Denied(BeholdenError):
    """The law refuses the call."""

    reason = "DENIED_BY_POLICY"

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.explanation())
        self.decision = decision


class ResourceExhausted(BeholdenError):
    """A limit is reached; trying again after `retry_after` seconds may succeed (None: it will not)."""

    reason = "LIMIT_REACHED"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DeadlineExceeded(BeholdenError):
    """The caller's deadline passed before the answer was ready."""

    reason = "DEADLINE_PASSED"


class Unavailable(BeholdenError):
    """The engine `engine` cannot answer now; try again after `retry_after` seconds."""

    reason = "ENGINE_UNAVAILABLE"

    def __init__(self, engine: str, message: str, *, retry_after: float = 1.0) -> None:
        super().__init__(f"{engine}: {message}")
        self.engine = engine
        self.retry_after = retry_after
