import cv2
import numpy as np
import pytest

from beholden.core.models import ModelSpec, TensorSpec
from beholden.vision.text_regions import MAX_LINES, detector_input, find_lines, reading_order

MODEL = ModelSpec(
    name="cores",
    version=1,
    role="text-detector",
    inputs=(TensorSpec("image", "uint8", (-1, -1, -1, 3)),),
    outputs=(TensorSpec("probabilities", "float32", (-1, 1, -1, -1)),),
    parameters={"pixel_threshold": 0.3, "score_threshold": 0.5, "unclip": 1.6},
)
BLANK = detector_input(np.zeros((320, 320, 3), np.uint8), 960)


def core(
    centre: tuple[float, float], size: tuple[float, float], angle: float, sure: float = 0.9
) -> np.ndarray:
    """A map of 320 x 320 with one line's core in it."""
    out = np.zeros((320, 320), np.float32)
    corners = cv2.boxPoints((centre, size, angle))
    cv2.fillPoly(out, [np.round(corners).astype(np.int32)], sure)
    return out


@pytest.mark.parametrize("shape", [(16, 5000), (5000, 16), (1, 5000), (720, 1280), (16, 16)])
def test_every_shape_fits_and_a_strip_keeps_its_height(shape: tuple[int, int]) -> None:
    seen = detector_input(np.full((*shape, 3), 9, np.uint8), 960)
    _, height, width, _ = seen.batch.shape
    assert height % 32 == width % 32 == 0
    assert seen.width * seen.height <= 960 * 720 * 1.01
    assert (seen.batch[0, : seen.height, : seen.width] == 9).all()
    assert not seen.batch[0, seen.height :].any()
    if shape in {(16, 5000), (5000, 16), (1, 5000)}:
        assert (seen.height, seen.width) == shape


@pytest.mark.parametrize("angle", [-40, -10, 0, 10, 40])
def test_a_line_is_its_core_grown_and_turned_with_it(angle: float) -> None:
    (line,), (score,) = find_lines(core((160, 160), (120, 12), angle), MODEL, BLANK)
    assert score > 0.5
    corners = line * 320
    assert corners.mean(axis=0) == pytest.approx((160, 160), abs=2)
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    growth = 120 * 12 * 1.6 / (120 + 12)
    assert np.linalg.norm(across) == pytest.approx(120 + growth, abs=6)
    assert np.linalg.norm(down) == pytest.approx(12 + growth, abs=6)
    assert np.degrees(np.arctan2(across[1], across[0])) == pytest.approx(angle, abs=2)


def test_a_line_that_is_tall_runs_down() -> None:
    (line,), _ = find_lines(core((160, 160), (12, 120), 0), MODEL, BLANK)
    across = line[1] - line[0]
    assert across[1] > 0.3
    assert abs(across[0]) < 0.01
    assert line[0][0] > 0.5, "it starts at its upper right, its head to the right"


@pytest.mark.parametrize(
    ("size", "sure"), [((120, 12), 0.29), ((120, 12), 0.49), ((2, 1), 0.9), ((0, 0), 0.9)]
)
def test_what_is_unsure_or_tiny_is_no_line(size: tuple[float, float], sure: float) -> None:
    assert not len(find_lines(core((160, 160), size, 0, sure), MODEL, BLANK).lines)


def test_what_lies_in_the_padding_is_no_line() -> None:
    seen = detector_input(np.zeros((100, 320, 3), np.uint8), 960)
    assert not len(find_lines(core((160, 200), (120, 12), 0), MODEL, seen).lines)


def test_a_hostile_map_is_bounded() -> None:
    dots = np.zeros((1600, 1600), np.float32)
    dots[::16, ::16] = 0.9
    dots = cv2.dilate(dots, np.ones((6, 6), np.uint8))
    seen = detector_input(np.zeros((1600, 1600, 3), np.uint8), 4096)
    assert len(find_lines(dots, MODEL, seen).lines) <= MAX_LINES


def test_rows_are_read_from_the_left_even_when_they_slope_a_little() -> None:
    def line(x: float, y: float) -> list[tuple[float, float]]:
        return [(x, y), (x + 0.2, y), (x + 0.2, y + 0.1), (x, y + 0.1)]

    lines = np.array([line(0.6, 0.1), line(0.1, 0.12), line(0.3, 0.4), line(0.1, 0.7)], np.float32)
    assert reading_order(lines).tolist() == [1, 0, 2, 3]
    assert reading_order(np.empty((0, 4, 2), np.float32)).tolist() == []
