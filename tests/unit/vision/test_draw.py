import io

import numpy as np
import pytest
from PIL import Image, ImageColor

from beholden.core.geometry import Box, Point
from beholden.vision.draw import DOUBTFUL, FOUND, MATCHED, REFUSED, Mark, annotate

GREY = 90


def drawn(
    marks: list[Mark], *, width: int = 1200, height: int = 900, title: str = ""
) -> np.ndarray:
    content = annotate(np.full((height, width, 3), GREY, np.uint8), marks, title=title)
    image = Image.open(io.BytesIO(content), formats=["PNG"])
    return np.asarray(image.convert("RGB"))


def where(picture: np.ndarray, colour: str) -> np.ndarray:
    return (picture == ImageColor.getrgb(colour)).all(axis=2)


def test_without_marks_the_picture_is_unchanged() -> None:
    picture = drawn([])
    assert picture.shape == (900, 1200, 3)
    assert (picture == GREY).all()


def test_a_box_is_drawn_around_what_it_marks() -> None:
    lines = where(drawn([Mark(Box(0.25, 0.5, 0.75, 0.75))]), FOUND)
    assert not lines[450:675, 300:900].any()
    rows, columns = np.nonzero(lines)
    assert (rows.min(), columns.min()) == pytest.approx((450, 300), abs=5)
    assert (rows.max(), columns.max()) == pytest.approx((675, 900), abs=5)
    assert lines[560, 290:310].any()


def test_points_are_drawn_where_they_lie() -> None:
    spots = where(
        drawn([Mark(Box(0.2, 0.2, 0.8, 0.8), points=(Point(0.4, 0.5), Point(0.6, 0.5)))]), FOUND
    )
    inside = spots[250:650, 300:900]
    _, columns = np.nonzero(inside)
    assert inside[200, 180]
    assert inside[200, 420]
    assert not inside[200, 200:400].any()
    assert columns.size < 600


def test_a_caption_stands_on_its_colour_above_the_box() -> None:
    picture = drawn([Mark(Box(0.4, 0.4, 0.6, 0.6), "face 0.93", colour=MATCHED)])
    above = picture[300:354, 480:600]
    assert where(above, MATCHED).sum() > 1000
    assert (above.max(axis=2) < 60).sum() > 100


@pytest.mark.parametrize(
    "box", [Box(0, 0, 0.2, 0.2), Box(0.9, 0.9, 1, 1), Box(0, 0, 1, 1), Box(0.5, 0.5, 0.5, 0.5)]
)
@pytest.mark.parametrize(("width", "height"), [(1200, 900), (20, 1500), (1500, 20), (16, 16)])
def test_everything_fits_any_picture(box: Box, width: int, height: int) -> None:
    points = (Point(-0.1, 0.5), Point(1.2, 1.2))
    picture = drawn(
        [Mark(box, "a caption of some length", points)], width=width, height=height, title="x" * 500
    )
    assert max(picture.shape) >= 960
    assert picture.shape[1] / picture.shape[0] == pytest.approx(width / height, rel=0.01)


def test_captions_cover_neither_each_other_nor_another_face() -> None:
    colours = (FOUND, MATCHED, DOUBTFUL, REFUSED)
    marks = [
        Mark(
            Box(0.2 + 0.06 * k, 0.4, 0.25 + 0.06 * k, 0.5),
            f"face number {k}",
            colour=colours[k % 4],
        )
        for k in range(8)
    ]
    picture = drawn(marks)
    for mark in marks:
        box = np.array(
            (
                mark.box.x_min * 1200,
                mark.box.y_min * 900,
                mark.box.x_max * 1200,
                mark.box.y_max * 900,
            )
        )
        left, top, right, bottom = (box + np.array((2, 2, -2, -2))).astype(int)
        assert (picture[top:bottom, left:right] == GREY).all()


def test_the_first_marks_choose_first() -> None:
    crowd = [Mark(Box(0.5, 0.5, 0.52, 0.52), "the first of many", colour=MATCHED)]
    crowd += [Mark(Box(0.5, 0.5, 0.52, 0.52), "another one", colour=FOUND)] * 40
    alone = where(drawn(crowd[:1]), MATCHED).sum()
    # The boxes lie on each other, so of the first only the caption is still to be seen.
    assert where(drawn(crowd), MATCHED).sum() > 0.6 * alone


def test_a_title_is_always_written_and_any_text_is_one_line() -> None:
    everywhere = [Mark(Box(0, 0, 1, 1))]
    assert where(drawn(everywhere, title="Two faces"), "#f8fafc").sum() > 1000
    marks = [Mark(Box(0.4, 0.4, 0.6, 0.6), "one\n\ttwo\0")]
    one_line = [Mark(Box(0.4, 0.4, 0.6, 0.6), "one two\0")]
    assert np.array_equal(drawn(marks), drawn(one_line))
    assert drawn([Mark(Box(0.4, 0.4, 0.6, 0.6), "Łódź 東京 🙂")]).any()
