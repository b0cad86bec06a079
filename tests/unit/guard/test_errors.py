"""Which status and which details each error becomes."""

from __future__ import annotations

import inspect
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2 as details

from beholden.core import errors
from beholden.core.law import Decision, Reason
from beholden.guard.errors import STATUS, InvalidFields, clip, pushback, status, status_code
from beholden.v1 import errors_pb2

Code = grpc.StatusCode
DENIED = errors.Denied(
    Decision(
        allowed=False,
        revision="r7",
        reasons=(
            Reason(
                "MORATORIUM",
                "amazon-2021/police",
                "Police must not compare faces.",
                since="2021-05-18",
                lifted_by="an exemption",
            ),
        ),
    )
)


def unpacked(error: Exception, decision_id: str = "") -> dict[str, Any]:
    found = {}
    for packed in status(error, decision_id).details:
        name = packed.TypeName().rsplit(".", 1)[-1]
        message = getattr(details, name)()
        assert packed.Unpack(message)
        found[name] = message
    return found


@pytest.mark.parametrize(
    ("error", "code", "reason", "also"),
    [
        (
            errors.InvalidArgument("a.b", "is odd"),
            Code.INVALID_ARGUMENT,
            "INVALID_FIELD",
            "BadRequest",
        ),
        (
            errors.InvalidArgument("image.content", "no face", reason="NO_FACE"),
            Code.INVALID_ARGUMENT,
            "NO_FACE",
            "BadRequest",
        ),
        (errors.NotFound("collections/c"), Code.NOT_FOUND, "RESOURCE_NOT_FOUND", "ResourceInfo"),
        (errors.AlreadyExists("c"), Code.ALREADY_EXISTS, "RESOURCE_EXISTS", "ResourceInfo"),
        (
            errors.FailedPrecondition("off", remedy="pull", reason="MODEL_OFF"),
            Code.FAILED_PRECONDITION,
            "MODEL_OFF",
            "PreconditionFailure",
        ),
        (errors.Unauthenticated("no"), Code.UNAUTHENTICATED, "TOKEN_INVALID", None),
        (DENIED, Code.PERMISSION_DENIED, "DENIED_BY_POLICY", None),
        (errors.ResourceExhausted("large"), Code.RESOURCE_EXHAUSTED, "LIMIT_REACHED", None),
        (
            errors.ResourceExhausted("busy", retry_after=2),
            Code.RESOURCE_EXHAUSTED,
            "LIMIT_REACHED",
            "RetryInfo",
        ),
        (errors.DeadlineExceeded("late"), Code.DEADLINE_EXCEEDED, "DEADLINE_PASSED", None),
        (errors.Unavailable("policy", "off"), Code.UNAVAILABLE, "ENGINE_UNAVAILABLE", "RetryInfo"),
    ],
)
def test_the_table(error: errors.BeholdenError, code: Code, reason: str, also: str | None):
    answer = status(error)
    found = unpacked(error)
    assert status_code(error) is code
    assert answer.code == code.value[0]
    assert answer.message == error.message
    assert (found["ErrorInfo"].reason, found["ErrorInfo"].domain) == (reason, "beholden.dev")
    assert set(found) == {"ErrorInfo", *([also] if also else [])}


def test_every_domain_error_has_a_status_and_a_reason_in_the_protos():
    kinds = {
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.BeholdenError) and kind is not errors.BeholdenError
    }
    assert kinds == set(STATUS)
    for kind in kinds:
        assert f"ERROR_REASON_{kind.reason}" in errors_pb2.ErrorReason.keys()  # noqa: SIM118


def test_a_denial_says_which_law_and_what_would_lift_it():
    assert dict(unpacked(DENIED, "d1")["ErrorInfo"].metadata) == {
        "law": "amazon-2021/police",
        "code": "MORATORIUM",
        "since": "2021-05-18",
        "lifted_by": "an exemption",
        "decision_id": "d1",
        "revision": "r7",
    }


def test_a_denial_gives_every_reason():
    reasons = tuple(Reason(f"C{n}", f"l{n}", f"m{n}") for n in range(3))
    found = unpacked(errors.Denied(Decision(False, "r", reasons=reasons)))
    assert [
        (one.type, one.subject, one.description) for one in found["PreconditionFailure"].violations
    ] == [("C0", "l0", "m0"), ("C1", "l1", "m1"), ("C2", "l2", "m2")]


def test_wrong_fields_are_all_named():
    found = unpacked(InvalidFields((("a", "is odd"), ("b[1].c", "is even"))))
    assert [(one.field, one.description) for one in found["BadRequest"].field_violations] == [
        ("a", "is odd"),
        ("b[1].c", "is even"),
    ]


def test_retry_after():
    wait = unpacked(errors.Unavailable("policy", "off", retry_after=1.5))["RetryInfo"].retry_delay
    assert (wait.seconds, wait.nanos) == (1, 500_000_000)


@pytest.mark.parametrize(
    "error",
    [ValueError("postgresql://user:secret@db"), errors.BeholdenError("root"), TimeoutError("x")],
)
def test_an_unknown_error_tells_nothing(error: Exception):
    answer = status(error)
    assert (answer.code, answer.message) == (Code.INTERNAL.value[0], "internal error")
    assert not answer.details


def test_whatever_is_said_fits_into_trailing_metadata():
    long = "顔" * 5000
    reasons = tuple(Reason(f"C{n}", long, long, long, long, long) for n in range(50))
    for error in (
        errors.Denied(Decision(False, long, reasons=reasons)),
        InvalidFields(tuple((long, long) for _ in range(50))),
        errors.NotFound(long),
        errors.FailedPrecondition(long, remedy=long),
    ):
        answer = status(error, "d1")
        # The message goes out once more by itself, a byte as three characters.
        assert answer.ByteSize() * 4 / 3 + len(answer.message.encode()) * 3 < 8000
        assert answer.details


def test_clip():
    assert clip("abc", 3) == "abc"
    assert clip("abcd", 3) == "..."
    assert clip("éééé", 7) == "éé..."


def test_retry_info_is_told_to_grpc_s_own_retries_too() -> None:
    key = "grpc-retry-pushback-ms"
    assert pushback(errors.Unavailable("store", "is away", retry_after=1.5), 30) == ((key, "1500"),)
    assert pushback(errors.Unavailable("store", "is away", retry_after=60), 30) == ((key, "-1"),)
    assert pushback(errors.Unavailable("store", "is away", retry_after=60), None) == (
        (key, "60000"),
    )
    assert pushback(errors.ResourceExhausted("the quota is full"), None) == ((key, "-1"),)
    assert pushback(errors.NotFound("faces/1"), None) == ()
