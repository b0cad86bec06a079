"""CenterNet's maps read: peaks, edges, order, bounds, and what does not fit."""

import numpy as np
import pytest

from beholden.core.models import ModelSpec, TensorSpec
from beholden.vision.centernet import MAX_PEAKS, read_maps
from beholden.vision.objects import fit, read


def maps(*peaks: tuple[int, int, int, float]) -> tuple[np.ndarray, np.ndarray]:
    """Three classes on 6 x 8 cells with peaks (class, row, column, score); edges 1, 2, 3, 4 away."""
    heatmap = np.zeros((3, 6, 8), np.float32)
    for kind, row, column, score in peaks:
        heatmap[kind, row, column] = score
    reach = np.broadcast_to(np.float32([1, 2, 3, 4])[:, None, None], (4, 6, 8))
    return heatmap, reach.copy()


def test_a_peak_is_a_box_around_its_cell() -> None:
    boxes, scores = read_maps(*maps((2, 3, 5, 0.75)))
    np.testing.assert_array_equal(boxes, [[20 - 1, 12 - 2, 20 + 3, 12 + 4]])
    np.testing.assert_array_equal(scores, np.float32([[0, 0, 0.75]]))


def test_only_the_highest_of_neighbours_is_a_peak() -> None:
    _, scores = read_maps(*maps((0, 2, 2, 0.5), (0, 3, 3, 0.75), (0, 3, 5, 0.25)))
    assert scores[:, 0].tolist() == [0.75, 0.25]


def test_classes_do_not_suppress_each_other_and_the_highest_comes_first() -> None:
    boxes, scores = read_maps(*maps((0, 2, 2, 0.25), (1, 2, 2, 0.5), (2, 2, 3, 1.0)))
    assert scores.argmax(axis=1).tolist() == [2, 1, 0]
    np.testing.assert_array_equal(boxes[1], boxes[2])


def test_a_hostile_picture_costs_no_more_than_the_most() -> None:
    heatmap = np.zeros((3, 60, 80), np.float32)
    heatmap[:, ::2, ::2] = np.linspace(0.1, 0.9, 3 * 30 * 40).reshape(3, 30, 40)
    boxes, scores = read_maps(heatmap, np.ones((4, 60, 80), np.float32))
    assert len(boxes) == MAX_PEAKS
    best = scores.max(axis=1)
    assert (np.diff(best) <= 0).all()
    assert best[0] == heatmap.max()


def test_nothing_is_nothing_and_not_a_number_is_no_peak() -> None:
    heatmap, reach = maps()
    boxes, scores = read_maps(heatmap, reach)
    assert boxes.shape == (0, 4)
    assert scores.shape == (0, 3)
    heatmap[1, 2, 2] = np.nan
    assert len(read_maps(heatmap, reach)[0]) == 0


def test_maps_that_do_not_fit_together_are_refused() -> None:
    heatmap, reach = maps()
    with pytest.raises(ValueError, match="do not fit"):
        read_maps(heatmap, reach[:2])
    with pytest.raises(ValueError, match="do not fit"):
        read_maps(heatmap[0], reach)


def test_a_detector_may_declare_it() -> None:
    model = ModelSpec(
        name="centres",
        version=1,
        role="object-detector",
        inputs=(TensorSpec("image", "uint8", (-1, 24, 32, 3)),),
        outputs=(
            TensorSpec("heatmap", "float32", (-1, 3, 6, 8)),
            TensorSpec("reach", "float32", (-1, 4, 6, 8)),
        ),
        labels=("cat", "dog", "cup"),
        decoder="centernet",
    )
    view = fit(np.zeros((90, 60, 3), np.uint8), model)
    assert view.batch.shape == (1, 24, 32, 3)
    heatmap, reach = maps((2, 3, 5, 0.75), (1, 1, 1, 0.25))
    found = read({"heatmap": heatmap[None], "reach": reach[None]}, model, view, 0.5)
    assert found.classes.tolist() == [2]
    assert found.scores.tolist() == [0.75]
    np.testing.assert_allclose(found.boxes, [[19 / 32, 10 / 24, 23 / 32, 16 / 24]])
