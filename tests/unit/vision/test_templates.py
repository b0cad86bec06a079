import math
from itertools import pairwise

import numpy as np
import pytest

from beholden.vision.templates import cosine_for, mirror_sum, similarity, unit

SCALES = [(0.93, 150.0), (0.915, 40.0), (0.33, 12.0), (0.0, 5.0)]


def test_unit_keeps_direction() -> None:
    found = unit(np.array(((3.0, 4.0), (-1e-20, 0.0), (1e30, 1e30))))
    assert found == pytest.approx(np.array(((0.6, 0.8), (-1, 0), (0.70710678, 0.70710678))))
    assert found.dtype == np.float32


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_unit_refuses_what_has_no_direction(bad: float) -> None:
    with pytest.raises(ValueError, match="zero or not finite"):
        unit(np.array(((1.0, 0.0), (bad, 0.0))))


def test_mirror_sum_is_the_unit_mean_direction_whatever_the_lengths() -> None:
    rng = np.random.default_rng(1)
    straight, mirrored = rng.normal(size=(2, 4, 128))
    templates = mirror_sum(straight, 5 * mirrored)
    assert np.linalg.norm(templates, axis=1) == pytest.approx(np.ones(4), abs=1e-6)
    assert templates == pytest.approx(mirror_sum(mirrored, straight), abs=1e-6)
    to_straight, to_mirrored = ((templates * unit(one)).sum(axis=1) for one in (straight, mirrored))
    assert to_straight == pytest.approx(to_mirrored, abs=1e-6)


@pytest.mark.parametrize(("midpoint", "slope"), SCALES)
class TestSimilarity:
    def test_is_exact_at_the_ends(self, midpoint: float, slope: float) -> None:
        assert similarity(-1, midpoint, slope) == 0
        assert similarity(1, midpoint, slope) == 1
        assert cosine_for(0, midpoint, slope) == -1
        assert cosine_for(1, midpoint, slope) == 1

    def test_stays_in_range_for_rounded_cosines(self, midpoint: float, slope: float) -> None:
        assert similarity(1 + 1e-6, midpoint, slope) == 1
        assert similarity(-1 - 1e-6, midpoint, slope) == 0

    def test_rises(self, midpoint: float, slope: float) -> None:
        curve = [similarity(cosine, midpoint, slope) for cosine in np.linspace(-1, 1, 2001)]
        assert all(low <= high for low, high in pairwise(curve))
        near = [similarity(midpoint + step / slope, midpoint, slope) for step in (-3, -1, 0, 1, 3)]
        assert near == sorted(set(near))

    def test_is_about_the_logistic_curve(self, midpoint: float, slope: float) -> None:
        assert similarity(midpoint, midpoint, slope) == pytest.approx(0.5, abs=0.02)

    def test_is_undone(self, midpoint: float, slope: float) -> None:
        for wanted in (1e-9, 0.01, 0.5, 0.8, 0.99, 0.999999):
            cosine = cosine_for(wanted, midpoint, slope)
            assert similarity(cosine, midpoint, slope) == pytest.approx(wanted, rel=1e-6)


def test_a_steep_scale_does_not_overflow() -> None:
    assert similarity(0.5, 0.9, 1e6) == 0
    assert cosine_for(0.5, 0.9, 1e6) == pytest.approx(0.9)


@pytest.mark.parametrize("bad", [math.nan, -0.1, 1.1, math.inf])
def test_refuses_what_is_no_similarity(bad: float) -> None:
    with pytest.raises(ValueError, match="similarity"):
        cosine_for(bad, 0.9, 100)


def test_refuses_what_is_no_cosine() -> None:
    with pytest.raises(ValueError, match="cosine"):
        similarity(math.nan, 0.9, 100)
