import numpy as np
import pytest

from beholden.vision.likeness import calibrate
from beholden.vision.templates import unit


def examples(alike: float, mine: int = 8, others: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors, the first ones `alike` by a shared direction."""
    rng = np.random.default_rng(7)
    features = rng.normal(size=(mine + others, 64))
    features[:mine, 0] += alike * 8
    return unit(features), np.arange(mine + others) < mine


def test_examples_that_are_alike_tell_another_one_and_nothing_else() -> None:
    features, mine = examples(alike=3)
    curve = calibrate(features[1:-1], mine[1:-1])
    assert curve is not None
    assert (curve.nearest, curve.found, curve.false_alarms) == (3, 1, 0)
    (mine_like, others_like), (mine_unlike, others_unlike) = (
        (features[1:8] @ features[place], features[8:-1] @ features[place]) for place in (0, -1)
    )
    assert curve.confidence(mine_like, others_like) > 0.8
    assert curve.confidence(mine_unlike, others_unlike) < 0.2
    nearest = np.sort(mine_like)[-3:], np.sort(others_like)[-3:]
    assert curve.confidence(*nearest) == curve.confidence(mine_like, others_like)
    assert curve.confidence(mine_like, others_like + 0.1) < curve.confidence(*nearest)


def test_more_examples_are_surer_than_few() -> None:
    few, many = (calibrate(*examples(3, mine, 3 * mine)) for mine in (3, 30))
    assert few is not None
    assert many is not None
    assert few.slope < many.slope
    assert few.confidence(np.ones(3), np.zeros(3)) < 1


@pytest.mark.parametrize("mine", [0, 1, 31, 32])
def test_nothing_is_made_of_too_little(mine: int) -> None:
    features, _ = examples(3)
    assert calibrate(features, np.arange(32) < mine) is None


def test_two_examples_are_held_against_one_another() -> None:
    features, mine = examples(3, mine=2, others=3)
    curve = calibrate(features, mine)
    assert curve is not None
    assert curve.nearest == 1


def test_examples_that_have_nothing_in_common_are_no_label() -> None:
    """Each is less like the others of its label than they are to the rest."""
    features = np.zeros((6, 3))
    features[[0, 1, 2], [0, 1, 2]] = 1
    features[3:] = 1
    assert calibrate(unit(features), np.arange(6) < 3) is None


def test_equal_pictures_make_a_curve_of_finite_numbers() -> None:
    features = unit(np.eye(4)[[0, 0, 0, 1, 2, 3]])
    curve = calibrate(features, np.arange(6) < 3)
    assert curve is not None
    assert np.isfinite([curve.midpoint, curve.slope]).all()
    alike, unlike = np.ones(2), np.zeros(2)
    assert curve.confidence(alike, unlike) > 0.7 > 0.5 > curve.confidence(unlike, unlike)
