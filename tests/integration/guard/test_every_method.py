"""What holds for every method of every service, whoever adds the next one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from inspect import signature

import grpc
import pytest

from beholden.core.errors import Unavailable
from beholden.core.law import Decision, Obligation, Reason
from tests.integration.guard.house import METHODS, House, named, reason

Code = grpc.StatusCode
DENIED = Decision(
    allowed=False,
    revision="r2",
    reasons=(Reason("MORATORIUM", "amazon-2021/police", "Not until further notice."),),
)


def every(check: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Runs `check` for each method in a subtest of its own, on one server, which is swept between."""

    @wraps(check)
    async def test(home: House, subtests: pytest.Subtests, **more: object) -> None:
        for method in METHODS:
            home.reached.clear()
            home.law.asked.clear()
            home.book.records.clear()
            with subtests.test(method=method.name):
                await check(home=home, method=method.name, **more)

    wanted = signature(check)
    fixtures = [
        one.replace(name="subtests") if one.name == "method" else one
        for one in wanted.parameters.values()
    ]
    test.__signature__ = wanted.replace(parameters=fixtures)  # type: ignore[attr-defined]
    return test


@every
async def test_answers_when_all_is_right(home: House, method: str):
    call = home.call(method)
    answer = await call
    assert type(answer).DESCRIPTOR is named(method).output_type
    [(name, _, caller)] = home.reached
    assert (name, caller.tenant, caller.principal, caller.roles) == (
        method,
        "daily-herald",
        "ada",
        ("editor",),
    )
    assert caller.facts == home.law.asked[0]
    decided, outcome = home.book.records
    ids = {decided.id, outcome.id, dict(await call.trailing_metadata())["beholden-decision-id"]}
    assert len(ids) == 1
    assert (decided.kind, outcome.kind, outcome.body["status"]) == ("decision", "outcome", "OK")


@every
async def test_refused_without_a_token(home: House, method: str):
    error = await home.refused(method, token=None)
    assert (error.code(), reason(error)) == (Code.UNAUTHENTICATED, "TOKEN_MISSING")
    assert not home.reached
    assert not home.law.asked
    assert not home.book.records


@every
@pytest.mark.parametrize(
    "broken",
    [Unavailable("policy", "gone"), RuntimeError("a bug"), None, True, {"allowed": True}],
    ids=["unavailable", "bug", "nothing", "truth", "document"],
)
async def test_refused_when_the_policy_engine_is_broken(home: House, method: str, broken: object):
    home.law.answer = broken
    error = await home.refused(method)
    assert (error.code(), reason(error)) == (Code.UNAVAILABLE, "ENGINE_UNAVAILABLE")
    assert not home.reached
    assert not home.book.records


@every
async def test_refused_when_the_decision_cannot_be_written(home: House, method: str):
    home.book.broken = {"decision"}
    error = await home.refused(method)
    assert (error.code(), reason(error)) == (Code.UNAVAILABLE, "ENGINE_UNAVAILABLE")
    assert not home.reached


@every
async def test_not_answered_when_the_outcome_cannot_be_written(home: House, method: str):
    home.book.broken = {"outcome"}
    error = await home.refused(method)
    assert (error.code(), reason(error)) == (Code.UNAVAILABLE, "ENGINE_UNAVAILABLE")
    assert len(home.reached) == 1


@every
async def test_denied_by_law_and_written_down(home: House, method: str):
    home.law.answer = DENIED
    error = await home.refused(method)
    assert (error.code(), reason(error)) == (Code.PERMISSION_DENIED, "DENIED_BY_POLICY")
    assert error.details() == "Not until further notice."
    assert not home.reached
    [record] = home.book.records
    assert (record.kind, record.allowed) == ("decision", False)
    assert record.body["decision"]["reasons"][0]["code"] == "MORATORIUM"
    assert dict(error.trailing_metadata())["beholden-decision-id"] == record.id


@every
async def test_an_unknown_obligation_is_refused_before_anything_is_done(home: House, method: str):
    home.law.answer = Decision(
        allowed=True, revision="r3", obligations=(Obligation("human_review", True),)
    )
    error = await home.refused(method)
    assert (error.code(), reason(error)) == (Code.PERMISSION_DENIED, "DENIED_BY_POLICY")
    assert "human_review" in error.details()
    assert not home.reached
    [record] = home.book.records
    assert not record.allowed
    assert record.body["decision"]["reasons"][0]["code"] == "UNKNOWN_OBLIGATION"


async def test_a_denial_that_cannot_be_written_is_still_a_refusal(home: House):
    home.law.answer = DENIED
    home.book.broken = {"decision"}
    error = await home.refused("SearchFaces")
    assert error.code() is Code.UNAVAILABLE
    assert not home.reached
