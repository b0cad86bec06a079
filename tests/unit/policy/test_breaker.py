import asyncio

import pytest

from beholden.core.errors import Unavailable
from beholden.policy.breaker import Breaker


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("opa", failures=2, pause=5, clock=clock)


def fail(breaker: Breaker) -> None:
    with pytest.raises(OSError, match="away"), breaker.guard(OSError):
        raise OSError("away")


def refuses(breaker: Breaker) -> bool:
    try:
        with breaker.guard(OSError):
            return False
    except Unavailable:
        return True


def test_refuses_after_failures_in_a_row(breaker: Breaker) -> None:
    fail(breaker)
    assert not refuses(breaker)
    fail(breaker)
    fail(breaker)
    assert refuses(breaker)


def test_other_errors_do_not_count(breaker: Breaker) -> None:
    for _ in range(5):
        with pytest.raises(ValueError, match="x"), breaker.guard(OSError):
            raise ValueError("x")
    assert not refuses(breaker)


def test_says_when_to_try_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    fail(breaker)
    clock.now += 2
    with pytest.raises(Unavailable) as caught, breaker.guard(OSError):
        pass
    assert caught.value.retry_after == 3


def test_lets_one_through_after_the_pause(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    fail(breaker)
    clock.now += 5
    with breaker.guard(OSError):
        assert refuses(breaker)
    assert not refuses(breaker)


def test_pauses_again_when_that_one_fails(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    fail(breaker)
    clock.now += 5
    fail(breaker)
    assert refuses(breaker)
    clock.now += 5
    assert not refuses(breaker)


def test_a_cancelled_trial_lets_the_next_one_try(breaker: Breaker, clock: Clock) -> None:
    fail(breaker)
    fail(breaker)
    clock.now += 5
    with pytest.raises(asyncio.CancelledError), breaker.guard(OSError):
        raise asyncio.CancelledError
    assert not refuses(breaker)
