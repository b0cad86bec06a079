import cv2
import numpy as np
import pytest

from beholden.core.geometry import Box, Point
from beholden.core.redaction import RedactionStyle, within
from beholden.vision.redact import CELLS, around_head, grown, hide

NOISE = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
STYLES = list(RedactionStyle)


def hidden(region: tuple[Point, ...], style: RedactionStyle) -> np.ndarray:
    pixels = NOISE.copy()
    hide(pixels, [region], style)
    return pixels


@pytest.mark.parametrize("style", STYLES)
def test_every_pixel_that_a_region_touches_is_replaced_and_no_other_far_from_it(style):
    pixels = hidden(within(Box(0.25, 0.25, 0.501, 0.751)), style)
    changed = (pixels != NOISE).any(axis=2)
    # A noisy pixel may happen to be the mean, in all three channels: hardly ever.
    assert changed[60:181, 80:161].mean() > 0.999
    assert not changed[:59].any()
    assert not changed[182:].any()
    assert not changed[:, :79].any()
    assert not changed[:, 162:].any()


@pytest.mark.parametrize("style", STYLES)
def test_slanted_text_is_covered_wholly_and_what_is_beside_it_stays(style):
    corners = cv2.boxPoints(((160, 120), (200, 30), 30))
    pixels = hidden(tuple(Point(x / 320, y / 240) for x, y in corners.tolist()), style)
    inside = np.zeros((240, 320), np.uint8)
    cv2.fillPoly(inside, [np.round(corners).astype(np.int32)], 1)
    changed = (pixels != NOISE).any(axis=2)
    assert changed[inside == 1].mean() > 0.999
    assert not changed[cv2.dilate(inside, np.ones((9, 9))) == 0].any()


@pytest.mark.parametrize("size", [(240, 320), (40, 300), (300, 12), (5, 5)])
def test_only_a_few_means_are_left_whatever_the_size(size):
    """Two pictures whose parts have the same means are the same once hidden: the rest is gone."""
    height, width = size
    one = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    pixels = one.copy()
    hide(pixels, [within(Box(0, 0, 1, 1))], RedactionStyle.PIXELATE)
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) <= CELLS * CELLS
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) <= max(1, height // 4 * (width // 4))


def test_blur_hides_as_much_as_pixelate():
    """Turning each of the sixteen parts around moves no mean: a blur of the same means is the same."""
    pixels = NOISE[:240, :240].copy()
    turned = pixels.copy()
    for top in range(0, 240, 60):
        for left in range(0, 240, 60):
            part = turned[top : top + 60, left : left + 60]
            turned[top : top + 60, left : left + 60] = part[::-1, ::-1].copy()
    assert (pixels != turned).any()
    for one in (pixels, turned):
        hide(one, [within(Box(0, 0, 1, 1))], RedactionStyle.BLUR)
    assert np.array_equal(pixels, turned)


def test_a_box_is_black():
    assert not hidden(within(Box(0, 0, 1, 1)), RedactionStyle.BOX).any()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "box",
    [Box(-0.5, -0.5, 0.1, 0.1), Box(0.9, 0.9, 1.5, 1.5), Box(2, 2, 3, 3), Box(0.5, 0.5, 0.5, 0.5)],
)
def test_regions_at_and_over_the_edge(style, box):
    pixels = hidden(within(box), style)
    assert np.array_equal(pixels[60:110, 80:150], NOISE[60:110, 80:150])


def test_rectangles_grow_on_all_sides_by_their_shorter_side():
    level = np.array([[(10, 10), (110, 10), (110, 30), (10, 30)]], float)
    assert grown(level, 0.5).tolist() == [[[0, 0], [120, 0], [120, 40], [0, 40]]]
    turn = np.array([(0.6, 0.8), (-0.8, 0.6)])
    assert grown(level @ turn, 0.5) == pytest.approx(grown(level, 0.5) @ turn)
    assert grown(np.empty((0, 4, 2)), 0.5).shape == (0, 4, 2)


def test_a_head_is_more_than_a_face_and_within_the_picture():
    assert around_head(Box(0, 0.9, 0.1, 1), 1) == Box(0, 0.8, 0.2, 1)
