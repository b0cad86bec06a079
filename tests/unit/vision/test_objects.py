from dataclasses import replace

import numpy as np
import pytest

from beholden.core.models import DECODERS, OBJECT_DETECTOR, ModelSpec, TensorSpec
from beholden.vision import objects
from beholden.vision.objects import MAX_CANDIDATES, fit, read

YOLOX = ModelSpec(
    name="grid",
    version=1,
    role="object-detector",
    inputs=(TensorSpec("image", "uint8", (-1, 64, 64, 3)),),
    outputs=(TensorSpec("cells", "float32", (-1, 84, 7)),),
    labels=("cat", "dog"),
    decoder="yolox",
    parameters={"nms_iou": 0.45},
)
DETR = ModelSpec(
    name="queries",
    version=1,
    role="object-detector",
    inputs=(TensorSpec("image", "uint8", (-1, 64, 64, 3)),),
    outputs=(
        TensorSpec("logits", "float32", (-1, 3, 2)),
        TensorSpec("boxes", "float32", (-1, 3, 4)),
    ),
    labels=("cat", "dog"),
    decoder="detr",
)


def test_every_decoder_that_a_catalogue_may_declare_is_there() -> None:
    assert objects.READERS.keys() == DECODERS[OBJECT_DETECTOR].keys()


def cells(**rows: tuple[float, ...]) -> dict[str, np.ndarray]:
    """Rows of the 8 x 8, 4 x 4 and 2 x 2 grids; all that is not given is background."""
    out = np.zeros((1, 84, 7), np.float32)
    for place, row in rows.items():
        out[0, int(place[1:])] = row
    return {"cells": out}


def test_the_picture_lies_in_the_upper_left() -> None:
    view = fit(np.full((50, 100, 3), 7, np.uint8), YOLOX)
    assert view.batch.shape == (1, 64, 64, 3)
    assert (view.width, view.height) == (64, 32)
    assert (view.batch[0, :32] == 7).all()
    assert (view.batch[0, 32:] == 114).all()


@pytest.mark.parametrize("shape", [(1, 5000, 3), (5000, 1, 3), (16, 16, 3)])
def test_the_longest_pictures_fit(shape: tuple[int, ...]) -> None:
    for model in (YOLOX, DETR):
        view = fit(np.zeros(shape, np.uint8), model)
        assert view.batch.shape == (1, 64, 64, 3)
        assert min(view.width, view.height) >= 1


def test_a_cell_of_each_grid_is_decoded() -> None:
    # Column 3, row 2 of stride 8; the first of stride 16; the last of stride 32.
    view = fit(np.zeros((64, 64, 3), np.uint8), YOLOX)
    e = np.log(2.0)
    found = read(
        cells(
            c19=(0.5, 0.5, 0, 0, 0.9, 1.0, 0.1),
            c64=(0.5, 0.5, 0, e, 0.8, 0.1, 1.0),
            c83=(0.5, 0.5, 0, 0, 0.7, 1.0, 0.0),
        ),
        YOLOX,
        view,
        0.5,
    )
    assert found.scores == pytest.approx([0.9, 0.8, 0.7])
    assert found.classes.tolist() == [0, 1, 0]
    assert found.boxes * 64 == pytest.approx(
        np.array([[24, 16, 32, 24], [0, 0, 16, 24], [32, 32, 64, 64]]), abs=1e-4
    )


def test_of_two_alike_the_surer_stays_but_not_across_kinds() -> None:
    view = fit(np.zeros((64, 64, 3), np.uint8), YOLOX)
    answer = cells(
        c0=(0.5, 0.5, 1, 1, 0.9, 1, 0),
        c1=(-0.5, 0.5, 1, 1, 0.8, 1, 0),
        c2=(-1.5, 0.5, 1, 1, 0.7, 0, 1),
    )
    found = read(answer, YOLOX, view, 0.5)
    assert found.scores == pytest.approx([0.9, 0.7])
    assert found.classes.tolist() == [0, 1]


def test_what_is_not_finite_or_outside_is_left_out() -> None:
    view = fit(np.zeros((32, 64, 3), np.uint8), YOLOX)
    nan = float("nan")
    answer = cells(
        c0=(nan, 0, 0, 0, 0.9, 1, 0),
        c1=(0, 0, 1e9, 0, 0.9, 1, 0),
        c60=(0.5, 0.5, 0, 0, 0.9, 1, 0),
        c2=(0.5, 0.5, 0, 0, 0.4, 1, 0),
    )
    found = read(answer, YOLOX, view, 0.5)
    assert np.isfinite(found.boxes).all()
    assert len(found.scores) <= 1, "the cell in the ground below the picture is no object"


def test_queries_of_a_picture_that_fills_the_square() -> None:
    view = fit(np.zeros((10, 40, 3), np.uint8), DETR)
    logits = np.array([[[9, -9], [-9, 0.1], [-9, -9]]], np.float32)
    boxes = np.array([[[0.5, 0.5, 0.5, 0.5], [0.1, 0.1, 0.4, 0.4], [0.5, 0.5, 1, 1]]], np.float32)
    found = read({"logits": logits, "boxes": boxes}, DETR, view, 0.5)
    assert found.classes.tolist() == [0, 1]
    assert found.boxes == pytest.approx(
        np.array([[0.25, 0.25, 0.75, 0.75], [0, 0, 0.3, 0.3]]), abs=1e-6
    )


def test_a_hostile_answer_is_bounded_and_a_strange_one_refused() -> None:
    view = fit(np.zeros((64, 64, 3), np.uint8), DETR)
    logits = np.full((1, 5000, 2), 9, np.float32)
    boxes = np.tile(np.array((0.5, 0.5, 0.1, 0.1), np.float32), (1, 5000, 1))
    assert len(read({"logits": logits, "boxes": boxes}, DETR, view, 0.5).scores) == MAX_CANDIDATES
    with pytest.raises(ValueError, match="cells"):
        read({"cells": np.zeros((1, 80, 7), np.float32)}, YOLOX, view, 0.5)
    with pytest.raises(ValueError, match="classes"):
        read({"cells": np.zeros((1, 84, 6), np.float32)}, YOLOX, view, 0.5)


def test_columns_without_objectness_are_decoded_over_a_ground_of_their_own() -> None:
    model = replace(
        YOLOX,
        decoder="yolov8",
        outputs=(TensorSpec("candidates", "float32", (-1, 6, 3)),),
        parameters={"nms_iou": 0.45, "ground": 0},
    )
    view = fit(np.full((50, 100, 3), 7, np.uint8), model)
    assert (view.batch[0, 32:] == 0).all()
    columns = np.array(
        [(32, 16, 16, 8, 0.1, 0.9), (33, 16, 16, 8, 0.1, 0.8), (8, 8, 16, 16, 0.3, 0.2)], np.float32
    ).T[None]
    found = read({"candidates": columns}, model, view, 0.25)
    assert [model.labels[one] for one in found.classes] == ["dog", "cat"]
    assert found.boxes * (64, 32, 64, 32) == pytest.approx(
        np.array([[24, 12, 40, 20], [0, 0, 16, 16]]), abs=1e-4
    )
