import cv2
import numpy as np
import pytest

from beholden.core.geometry import Box
from beholden.vision.colours import dominant, foreground, look
from tests import pictures


def flag(*colours: tuple[int, int, int]) -> np.ndarray:
    return np.repeat(np.array([colours], np.uint8), 40, axis=1).repeat(60, axis=0)


def test_flat_colours_are_named_with_their_shares() -> None:
    picture = np.concatenate([flag((255, 0, 0)), flag((255, 0, 0)), flag((0, 0, 255))], axis=1)
    found = look(picture, 10)
    assert found is not None
    assert [(one.name, one.hex) for one in found.colours] == [
        ("red", "#ff0000"),
        ("blue", "#0000ff"),
    ]
    assert [one.share for one in found.colours] == pytest.approx([2 / 3, 1 / 3], abs=0.01)


def test_at_most_so_many_and_the_same_each_time() -> None:
    picture = pictures.pixels("astronaut")
    first, again = (look(picture, 5) for _ in range(2))
    assert first == again
    assert first is not None
    assert 2 <= len(first.colours) <= 5
    shares = [one.share for one in first.colours]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize(("value", "brightness"), [(0, 0), (255, 1), (51, 0.2)])
def test_a_flat_picture(value: int, brightness: float) -> None:
    found = look(np.full((30, 30, 3), value, np.uint8), 3)
    assert found is not None
    assert found.brightness == pytest.approx(brightness)
    assert (found.contrast, found.sharpness) == (0, 0)
    assert len(found.colours) == 1


def test_half_black_half_white_is_full_contrast() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[20:] = 255
    found = look(picture, 3)
    assert found is not None
    assert found.contrast == pytest.approx(1, abs=0.01)


def test_blur_and_darkness_are_seen() -> None:
    picture = pictures.pixels("astronaut")
    blurred = cv2.GaussianBlur(picture, (0, 0), 3)
    sharp, soft, dark = (look(one, 3) for one in (picture, blurred, picture // 4))
    assert sharp
    assert soft
    assert dark
    assert sharp.sharpness > 0.5 > soft.sharpness
    assert dark.brightness < sharp.brightness / 3
    assert dark.contrast < sharp.contrast / 3


def test_foreground_and_background_are_apart() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[25:75, 25:75] = (0, 128, 0)
    mask = foreground(picture.shape, [Box(0.25, 0.25, 0.75, 0.75)])
    assert mask.sum() == 2500
    inner, outer = look(picture, 3, mask), look(picture, 3, ~mask)
    assert inner
    assert outer
    assert [one.name for one in inner.colours] == ["green"]
    assert [one.name for one in outer.colours] == ["black"]
    assert look(picture, 3, np.zeros((100, 100), bool)) is None


@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1), (1, 1)])
def test_the_oddest_shapes(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), 200, np.uint8)
    assert look(picture, 20) is not None
    mask = np.zeros(shape, bool)
    mask[-1, -1] = True
    assert len(dominant(picture, 3, mask)) == 1
