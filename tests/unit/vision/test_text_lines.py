import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from beholden.core.text import around
from beholden.vision.text_lines import HEIGHT, Strip, batches, cut, doubted, spell

WHOLE = np.array(((0, 0), (1, 0), (1, 1), (0, 1)), np.float32)


def steps(text: str, every: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """A recogniser's answer: each character twice, then blanks; "_" is a blank too."""
    points = np.zeros(len(text) * every, np.int32)
    for place, sign in enumerate(text):
        if sign != "_":
            points[place * every : place * every + 2] = ord(sign)
    return points, np.where(points > 0, np.float32(0.9), np.float32(0.99))


def strip(width: int) -> Strip:
    return Strip(0, np.zeros((HEIGHT, width, 3), np.uint8))


def test_repeats_are_one_character_unless_a_blank_is_between() -> None:
    points = np.array([0, 97, 97, 0, 97, 98, 98, 0], np.int32)
    line = spell(points, np.full(8, 0.5, np.float32), strip(64), WHOLE)
    assert line is not None
    assert line.text == "aab"
    assert line.confidence == pytest.approx(0.5)


def test_words_lie_where_their_characters_were_met() -> None:
    points, sure = steps("ab cdef")
    line = spell(points, sure, strip(len(points) * 8), WHOLE)
    assert line is not None
    assert [word.text for word in line.words] == ["ab", "cdef"]
    first, second = (word.box for word in line.words)
    assert (first.x_min, second.x_max) == (0, 1)
    assert 0.2 < first.x_max < second.x_min + 1e-6 < 0.5
    assert (first.y_min, first.y_max) == (0, 1)


def test_words_turn_with_their_line() -> None:
    points, sure = steps("ab cd")
    down = np.array(((0.6, 0.1), (0.6, 0.9), (0.4, 0.9), (0.4, 0.1)), np.float32)
    line = spell(points, sure, strip(len(points) * 8), down)
    assert line is not None
    first, second = line.words
    assert first.polygon[0].y == pytest.approx(0.1)
    assert first.box.y_max <= second.box.y_min + 1e-6
    assert around(line.polygon).x_min == pytest.approx(0.4)


@pytest.mark.parametrize("text", ["____", "   ", ""])
def test_nothing_is_no_line(text: str) -> None:
    points, sure = steps(text)
    assert spell(points, sure, strip(64), WHOLE) is None


def test_padding_is_not_counted_nor_what_is_beyond_the_last_character() -> None:
    points, sure = steps("ab__")  # 16 steps for 64 pixels and 32 of padding
    line = spell(points, sure, strip(64), WHOLE)
    assert line is not None
    (word,) = line.words
    first, last = 0.5 * 6 / 64, 4.5 * 6 / 64
    assert word.polygon[0].x == pytest.approx(0)
    assert word.polygon[1].x == pytest.approx(last + (last - first))


def test_strips_of_similar_width_share_a_batch_and_memory_is_bounded() -> None:
    widths = [60, 90, 130, 700, 2048, 2048, 2048, *[90] * 60]
    strips = [Strip(k, np.full((HEIGHT, w, 3), k, np.uint8)) for k, w in enumerate(widths)]
    met = set()
    for part, batch in batches(strips):
        assert batch.shape[0] == len(part)
        assert batch.shape[0] * batch.shape[2] <= 4096
        for row, one in zip(batch, part, strict=True):
            met.add(one.index)
            assert (row[:, : one.pixels.shape[1]] == one.index).all()
            assert (row[:, one.pixels.shape[1] :] == 127).all()
    assert met == set(range(len(widths)))


def test_a_turned_line_is_laid_level() -> None:
    font = ImageFont.load_default(30)
    level = Image.new("RGB", (400, 400), "white")
    ImageDraw.Draw(level).text((100, 185), "abcdefgh", "black", font)
    line = np.array(((95, 180), (305, 180), (305, 222), (95, 222)), np.float32)
    turned = np.asarray(level.rotate(-30, resample=Image.Resampling.BICUBIC, fillcolor="white"))
    angle = np.radians(30)
    rotation = np.array(((np.cos(angle), np.sin(angle)), (-np.sin(angle), np.cos(angle))))
    slanted = ((line - 200) @ rotation + 200) / 400
    straight = cut(np.asarray(level), 0, line / 400).pixels.astype(float)
    again = cut(turned, 0, slanted.astype(np.float32)).pixels.astype(float)
    assert again.shape == straight.shape == (HEIGHT, 240, 3)
    assert np.corrcoef(straight.ravel(), again.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1), (16, 16)])
def test_the_oddest_lines_are_cut(shape: tuple[int, int]) -> None:
    pixels = cut(np.zeros((*shape, 3), np.uint8), 0, WHOLE).pixels
    assert pixels.shape[0] == HEIGHT
    assert 8 <= pixels.shape[1] <= 2048
    dot = np.full((4, 2), 0.5, np.float32)
    assert cut(np.zeros((*shape, 3), np.uint8), 0, dot).pixels.shape[0] == HEIGHT


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [("X", WHOLE, 0.6), ("GY", WHOLE, 0.6), ("CON", WHOLE, 0.9), ("X", WHOLE / 8, 0.9)],
)
def test_a_sign_that_fills_the_picture_is_no_surer_than_the_detector(
    text: str, place: np.ndarray, told: float
) -> None:
    points, sure = steps(text)
    line = spell(points, sure, strip(64), place)
    assert line is not None
    assert doubted(line, 0.51).confidence == pytest.approx(told)
    assert doubted(line, 0.8) == line
