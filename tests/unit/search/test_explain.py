"""Thresholds, margins and what a hit means among many: pure functions."""

import math

import pytest

from beholden.core.explanation import Threshold, ThresholdSource
from beholden.core.models import Strangers
from beholden.search.explain import false_positives, margins, threshold, upper_bound

LAW = (("max_results", 5, "limits"), ("min_similarity", 0.85, "thresholds"))
STRANGERS = Strangers(1000, ((0.5, 20), (0.8, 5), (0.99, 0)))


@pytest.mark.parametrize(
    ("asked", "obligations", "want"),
    [
        (None, (), Threshold(0.8, ThresholdSource.DEFAULT)),
        (0.5, (), Threshold(0.5, ThresholdSource.REQUEST)),
        (0.0, (), Threshold(0.0, ThresholdSource.REQUEST)),
        (None, LAW, Threshold(0.85, ThresholdSource.OBLIGATION, "thresholds")),
        (0.9, LAW, Threshold(0.9, ThresholdSource.REQUEST)),
        (0.85, LAW, Threshold(0.85, ThresholdSource.REQUEST)),
    ],
)
def test_the_strictest_threshold_holds(asked: float | None, obligations, want: Threshold) -> None:
    assert threshold(asked, 0.8, obligations) == want


def test_galleries_multiply_errors() -> None:
    one = false_positives(STRANGERS, 0.8, 1)
    many = false_positives(STRANGERS, 0.85, 400)
    assert one is not None
    assert many is not None
    assert (one.rate, one.matches, one.pairs) == (pytest.approx(0.005), 5, 1000)
    assert many.rate == pytest.approx(1 - 0.995**400)
    assert many.rate < many.at_most < 1
    nobody = false_positives(STRANGERS, 0.8, 0)
    assert nobody is not None
    assert (nobody.rate, nobody.at_most) == (0, 0)


def test_what_was_not_measured_is_not_said() -> None:
    assert false_positives(None, 0.9, 10) is None
    assert false_positives(STRANGERS, 0.4, 10) is None
    unseen = false_positives(STRANGERS, 0.999, 1_000_000)
    assert unseen is not None
    assert (unseen.rate, unseen.matches) == (0, 0)
    assert unseen.at_most == pytest.approx(1), "none of 1,000 says nothing about a million"


@pytest.mark.parametrize("count", [0, 1, 5, 40, 999])
def test_the_bound_is_clopper_and_pearsons(count: int) -> None:
    bound = upper_bound(count, 1000)
    below = math.fsum(
        math.comb(1000, i) * bound**i * (1 - bound) ** (1000 - i) for i in range(count + 1)
    )
    assert below == pytest.approx(0.05, abs=1e-6)
    assert bound > count / 1000
    assert upper_bound(1000, 1000) == 1


def test_margins_are_to_the_next_of_somebody_else() -> None:
    found = [("a", 0.99, "ada"), ("b", 0.97, "ada"), ("c", 0.9, ""), ("d", 0.8, "")]
    assert margins(found) == [
        pytest.approx(0.09),
        pytest.approx(0.07),
        pytest.approx(0.1),
        None,
    ]
    assert margins([]) == []
