import cv2
import numpy as np
import pytest

from beholden.vision.scaling import fit_within, resized


@pytest.mark.parametrize(
    ("size", "side", "fitted"),
    [
        ((1920, 1080), 960, (960, 540)),
        ((1080, 1920), 960, (540, 960)),
        ((640, 480), 960, (640, 480)),
        ((960, 960), 960, (960, 960)),
        ((50_000, 16), 960, (960, 1)),
        ((1001, 997), 500, (500, 498)),
    ],
)
def test_fits_the_longer_side_and_never_enlarges(
    size: tuple[int, int], side: int, fitted: tuple[int, int]
) -> None:
    assert fit_within(*size, side) == fitted


def test_reduces_by_averaging() -> None:
    checks = np.indices((64, 64)).sum(axis=0) % 2 * 255
    pixels = np.repeat(checks[:, :, None], 3, axis=2).astype(np.uint8)
    assert np.ptp(resized(pixels, 16, 16)) == 0
    assert resized(pixels, 16, 16)[0, 0, 0] in (127, 128)


def test_enlarges_to_the_very_size_and_leaves_alone_what_fits() -> None:
    pixels = np.zeros((10, 20, 3), np.uint8)
    assert resized(pixels, 41, 23).shape == (23, 41, 3)
    assert resized(pixels, 20, 10) is pixels


def test_no_few_pixels_stand_for_the_whole_picture() -> None:
    """Linear sampling sees another picture in a tenth of the pixels, which its maker may choose."""
    pixels = np.full((1200, 1600, 3), 40, np.uint8)
    rows, columns = (
        ((np.arange(224) + 0.5) * side / 224 - 0.5).astype(int) for side in (1200, 1600)
    )
    for down in (0, 1):
        for right in (0, 1):
            pixels[np.ix_(rows + down, columns + right)] = 240
    assert cv2.resize(pixels, (224, 224)).min() == 240
    assert resized(pixels, 224, 224).mean() < 70
