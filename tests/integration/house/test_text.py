"""What is written in pictures, over the wire."""

from collections.abc import Iterator
from pathlib import Path

import av
import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from PIL import Image, ImageDraw, ImageFont

from beholden.v1 import detection_pb2, detection_pb2_grpc, image_pb2, text_pb2
from tests import clips
from tests.house import House
from tests.pictures import encode, path

DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
UNKNOWN = (
    "Все люди рождаются свободными",
    "Բոլոր մարդիկ ծնվում են ազատ",
    "כל בני האדם נולדו בני חורין",
    "يولد جميع الناس أحرارا",
)
LINE, WORD = text_pb2.TEXT_TYPE_LINE, text_pb2.TEXT_TYPE_WORD
Box = image_pb2.BoundingBox


@pytest.fixture(scope="module")
def stub(house: House) -> Iterator[detection_pb2_grpc.DetectionServiceStub]:
    with house.channel() as channel:
        yield detection_pb2_grpc.DetectionServiceStub(channel)


@pytest.fixture
def asked(house: House, stub: detection_pb2_grpc.DetectionServiceStub):
    def ask(picture: Image.Image, **options) -> detection_pb2.DetectTextResponse:
        content = encode(picture.convert("RGB"))
        request = detection_pb2.DetectTextRequest(image=image_pb2.Image(content=content), **options)
        return stub.DetectText(request, metadata=house.headers("daily-herald"))

    return ask


@pytest.fixture(scope="module")
def page() -> Image.Image:
    return Image.open(path("text/phototest.tif"))


def sign(text: str, size: tuple[int, int] = (400, 160)) -> Image.Image:
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).text((40, 50), text, "black", ImageFont.load_default(44))
    return picture


def lines(found: detection_pb2.DetectTextResponse) -> list[str]:
    return [one.text for one in found.texts if one.type == LINE]


def test_a_page_is_read_in_order(asked, page: Image.Image) -> None:
    found = asked(page)
    assert "\n".join(lines(found)).strip() == "\n".join(
        line for line in path("text/phototest.txt").read_text().splitlines() if line.strip()
    )
    assert [model.name for model in found.models] == ["pp_ocr_v6_detector", "pp_ocr_v6_recogniser"]


def test_words_belong_to_their_line_and_lie_in_it(asked, page: Image.Image) -> None:
    found = asked(page)
    assert [one.id for one in found.texts] == list(range(len(found.texts)))
    parents = {one.id: one for one in found.texts if one.type == LINE}
    words = [one for one in found.texts if one.type == WORD]
    assert len(words) == 60
    for parent in parents.values():
        assert not parent.HasField("parent_id")
        own = [one for one in words if one.parent_id == parent.id]
        assert " ".join(one.text for one in own) == parent.text
        left = [one.bounding_box.x_min for one in own]
        assert left == sorted(left)
        for one in own:
            assert len(one.polygon) == 4
            assert one.bounding_box.y_min >= parent.bounding_box.y_min - 1e-3
            assert one.bounding_box.x_max <= parent.bounding_box.x_max + 1e-3


@pytest.mark.parametrize("angle", [0, 30, 90, 180, 270])
def test_text_at_every_angle(asked, angle: int) -> None:
    picture = sign("Beholden 2026").rotate(angle, expand=True, fillcolor="white")
    found = asked(picture)
    assert lines(found) == ["Beholden 2026"]
    start, along = found.texts[0].polygon[0], found.texts[0].polygon[1]
    across = (along.x - start.x) * picture.width, (along.y - start.y) * picture.height
    reads = np.degrees(np.arctan2(-across[1], across[0])) % 360
    assert min(abs(reads - angle), 360 - abs(reads - angle)) < 4


def test_letters_with_marks(asked) -> None:
    read = " ".join(lines(asked(Image.open(path("text/eurotext.tif")))))
    for words in ("über den faulen Hund", "marrón rápido", "o cão preguiçoso", "«rapide» saute"):
        assert words in read


def test_a_long_strip_is_read(asked) -> None:
    strip = Image.new("RGB", (5000, 64), "white")
    for number in range(8):
        words = f"ticker {number}"
        ImageDraw.Draw(strip).text(
            (40 + 620 * number, 12), words, "black", ImageFont.load_default(36)
        )
    assert " ".join(lines(asked(strip))) == " ".join(f"ticker {number}" for number in range(8))


def test_words_that_are_not_wanted(asked) -> None:
    picture = sign("wide i", (400, 160))
    assert lines(asked(picture)) == ["wide i"]
    wide = text_pb2.WordFilter(min_width=0.1)
    assert lines(asked(picture, word_filter=wide)) == ["wide"]
    assert not asked(picture, word_filter=text_pb2.WordFilter(min_height=0.9)).texts
    sure = text_pb2.WordFilter(min_confidence=1.0)
    assert all(one.confidence == 1 for one in asked(picture, word_filter=sure).texts)


def test_regions(asked, page: Image.Image) -> None:
    upper = asked(page, regions=[Box(x_max=1, y_max=0.4)])
    assert lines(upper) == lines(asked(page))[:3]
    left = asked(page, regions=[Box(x_max=0.5, y_max=1)])
    assert all(
        (one.bounding_box.x_min + one.bounding_box.x_max) / 2 <= 0.5
        for one in left.texts
        if one.type == WORD
    )
    assert not asked(page, regions=[Box(x_min=0.99, x_max=1, y_max=1)]).texts


@pytest.mark.skipif(not DEJAVU.is_file(), reason=f"no font with many scripts: {DEJAVU}")
def test_scripts_that_are_not_known_are_left_out_as_unsure(asked) -> None:
    page = Image.new("RGB", (900, 400), "white")
    letters = ImageFont.truetype(DEJAVU, 40)
    for row, line in enumerate(UNKNOWN):
        ImageDraw.Draw(page).text((40, 30 + 80 * row), line, "black", letters)
    ImageDraw.Draw(page).text((40, 30 + 80 * len(UNKNOWN)), "born free", "black", letters)
    assert lines(asked(page)) == ["born free"]


def test_the_outline_of_a_person_is_no_letter(asked) -> None:
    with av.open(str(clips.real(clips.WALKERS))) as film:
        walker = next(film.decode(video=0)).to_image()
    assert not asked(walker).texts
    unsure = asked(walker, word_filter=text_pb2.WordFilter(min_confidence=0.5))
    assert "X" in lines(unsure)


def test_nothing_written(asked) -> None:
    for shape in ((64, 64), (16, 5000), (5000, 16)):
        blank = Image.fromarray(np.full((*shape, 3), 255, np.uint8))
        assert not asked(blank).texts


WHOLE = Box(x_max=1, y_max=1)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"regions": [WHOLE, Box(x_min=0.5, x_max=1.5, y_max=1)]}, "regions[1]"),
        ({"regions": [Box(x_min=-0.1, x_max=0.5, y_max=1)]}, "regions[0]"),
        ({"regions": [Box(x_min=0.5, x_max=0.5, y_max=1)]}, "regions[0]"),
        ({"regions": [Box(x_min=0.6, x_max=0.5, y_max=1)]}, "regions[0]"),
        ({"regions": [Box()]}, "regions[0]"),
        ({"regions": [Box(x_max=float("nan"), y_max=1)]}, "regions[0].x_max"),
        ({"regions": [WHOLE] * 11}, "regions"),
        ({"word_filter": text_pb2.WordFilter(min_confidence=1.1)}, "word_filter.min_confidence"),
        ({"word_filter": text_pb2.WordFilter(min_height=-1)}, "word_filter.min_height"),
        ({"word_filter": text_pb2.WordFilter(min_width=2)}, "word_filter.min_width"),
    ],
)
def test_what_is_wrong_is_named(asked, options, field: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        asked(sign("x"), **options)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = rpc_status.from_call(caught.value)
    bad = error_details_pb2.BadRequest()
    assert any(detail.Unpack(bad) for detail in status.details)
    assert [violation.field for violation in bad.field_violations] == [field]
