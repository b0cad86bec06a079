"""Errors over labelled pairs, on numbers small enough to be counted by hand."""

import numpy as np
import pytest

from beholden.vision.verification import (
    curve,
    equal_error,
    errors_at,
    pairs,
    thinned,
    true_accepts,
)

GENUINE = np.array((0.9, 0.8, 0.7, 0.4))
IMPOSTOR = np.array((0.5, 0.3, 0.2, 0.1, 0.0))


def test_errors_are_shares_of_each_kind_of_pair() -> None:
    at = errors_at(GENUINE, IMPOSTOR, 0.45)
    assert (at.fmr, at.fnmr) == (1 / 5, 1 / 4)
    assert errors_at(GENUINE, IMPOSTOR, 0.5).fmr == 1 / 5, "a threshold that is met is passed"
    assert errors_at(GENUINE, IMPOSTOR, 0.7).fnmr == 1 / 4


def test_the_curve_has_the_errors_of_every_threshold() -> None:
    points = curve(GENUINE, IMPOSTOR)
    assert [point.threshold for point in points] == sorted({*GENUINE, *IMPOSTOR})
    for point in points:
        expected = errors_at(GENUINE, IMPOSTOR, point.threshold)
        assert point.fmr == pytest.approx(expected.fmr)
        assert point.fnmr == pytest.approx(expected.fnmr)


def test_the_equal_error_is_where_both_are_closest() -> None:
    equal = equal_error(curve(GENUINE, IMPOSTOR))
    assert (equal.threshold, equal.fmr, equal.fnmr) == (0.5, pytest.approx(0.2), 0.25)


def test_true_accepts_only_from_enough_pairs() -> None:
    points = curve(GENUINE, IMPOSTOR)
    assert true_accepts(points, 0.1, 1000) == 0.75
    assert true_accepts(points, 0.2, len(IMPOSTOR)) == 1.0
    assert true_accepts(points, 0.01, len(IMPOSTOR)) is None


def test_thinning_keeps_the_ends() -> None:
    points = curve(GENUINE, IMPOSTOR)
    few = thinned(points, 3)
    assert (few[0], few[-1], len(few)) == (points[0], points[-1], 3)
    assert thinned(points, 100) == points


def test_pairs_are_told_by_person() -> None:
    templates = np.array(((1, 0), (0, 1), (0.6, 0.8)), np.float32)
    same, other = pairs(templates, np.array((0, 1, 0)))
    assert same == pytest.approx([0.6])
    assert sorted(other) == pytest.approx([0.0, 0.8])


def test_one_kind_of_pair_alone_says_nothing() -> None:
    with pytest.raises(ValueError, match="both"):
        curve(GENUINE, IMPOSTOR[:0])
