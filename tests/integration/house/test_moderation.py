"""What is unsafe in pictures, and what can be told of it, over the wire."""

from collections.abc import Iterator

import grpc
import pytest
from PIL import Image, ImageDraw, ImageFont

from beholden.v1 import image_pb2, moderation_pb2, moderation_pb2_grpc
from tests.house import House
from tests.pictures import encode, pixels

COVERED = moderation_pb2.MODERATION_COVERAGE_COVERED
PARTLY = moderation_pb2.MODERATION_COVERAGE_PARTLY
NOT_COVERED = moderation_pb2.MODERATION_COVERAGE_NOT_COVERED


@pytest.fixture(scope="module")
def stub(house: House) -> Iterator[moderation_pb2_grpc.ModerationServiceStub]:
    with house.channel() as channel:
        yield moderation_pb2_grpc.ModerationServiceStub(channel)


@pytest.fixture(scope="module")
def headers(house: House) -> list[tuple[str, str]]:
    """Of a tenant that has set nothing."""
    return house.headers("daily-herald")


@pytest.fixture(scope="module")
def platform(house: House) -> list[tuple[str, str]]:
    """Of a tenant with rules of its own (see the conftest)."""
    return house.headers("acme-platform")


def sign(*lines: str) -> image_pb2.Image:
    picture = Image.new("RGB", (480, 200), "white")
    for number, text in enumerate(lines):
        where = (30, 30 + 70 * number)
        ImageDraw.Draw(picture).text(where, text, "black", ImageFont.load_default(44))
    return image_pb2.Image(content=encode(picture))


def test_every_model_that_looked_is_named_and_labels_come_with_those_above(stub, headers) -> None:
    request = moderation_pb2.ModerateImageRequest(
        image=image_pb2.Image(content=encode(pixels("astronaut"))), min_confidence=0
    )
    found = stub.ModerateImage(request, metadata=headers)
    assert {model.name for model in found.models} == {"nsfwjs_mobilenet_v2", "squeezenet"}
    told = {label.name: label for label in found.labels}
    assert told.keys() >= {"Explicit", "Violence", "Weapons", "Gambling"}
    for label in found.labels:
        assert (label.taxonomy_level == 1) == (not label.parent_name)
        if label.parent_name:
            above = told[label.parent_name]
            assert above.taxonomy_level == label.taxonomy_level - 1
            assert above.confidence >= label.confidence
            assert {model.name for model in above.models} >= {one.name for one in label.models}


def test_what_nothing_tells_is_listed_as_not_covered(stub, headers) -> None:
    request, pages = moderation_pb2.ListModerationLabelsRequest(page_size=20), []
    while not pages or pages[-1].next_page_token:
        pages.append(stub.ListModerationLabels(request, metadata=headers))
        request.page_token = pages[-1].next_page_token
    listed = {label.name: label for page in pages for label in page.labels}
    assert [len(page.labels) for page in pages] == [20, 20, 12]
    assert len(listed) == 52
    assert listed["Explicit"].coverage == COVERED
    assert [one.name for one in listed["Explicit"].models] == ["nsfwjs_mobilenet_v2"]
    assert listed["Violence"].coverage == PARTLY
    assert listed["Hate Symbols"].coverage == NOT_COVERED
    nipple = listed["Exposed Female Nipple"]
    assert (nipple.coverage, nipple.taxonomy_level, nipple.parent_name) == (
        NOT_COVERED,
        3,
        "Explicit Nudity",
    )
    assert [(one.model, one.licence) for one in nipple.candidates] == [
        ("nudenet_320n", "AGPL-3.0-only")
    ]
    assert listed["Weapons"].min_confidence == 0.5


def test_a_page_token_of_ones_own(stub, headers) -> None:
    request = moderation_pb2.ListModerationLabelsRequest(page_token="x")
    with pytest.raises(grpc.RpcError) as caught:
        stub.ListModerationLabels(request, metadata=headers)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "page_token" in caught.value.details()


def test_words_on_a_tenants_lists_are_told_with_their_places_and_in_no_log(
    stub, headers, platform, house: House
) -> None:
    request = moderation_pb2.ModerateImageRequest(image=sign("CAS1NO and", "Gin tonight"))
    found = stub.ModerateImage(request, metadata=platform)
    told = {label.name: label for label in found.labels}
    assert told.keys() == {"Blocklisted Text", "games of chance", "drinks"}
    games, drinks = told["games of chance"], told["drinks"]
    assert (games.parent_name, games.taxonomy_level) == ("Blocklisted Text", 2)
    assert games.source == moderation_pb2.MODERATION_SOURCE_BLOCKLIST
    assert [model.name for model in games.models] == ["pp_ocr_v6_detector", "pp_ocr_v6_recogniser"]
    (place,) = games.instances
    assert (place.word, drinks.instances[0].word) == ("", "gin")
    assert len(place.polygon) == 4
    assert place.bounding_box.y_max < drinks.instances[0].bounding_box.y_min
    assert not stub.ModerateImage(request, metadata=headers).labels, "another tenant's lists"
    log = (house.folder / "server.log").read_text().casefold()
    assert not any(word in log for word in ("casino", "cas1no", "gin tonight", "slot machine"))


def test_a_caller_only_narrows_what_the_tenant_has_set(stub, platform) -> None:
    content = encode(pixels("faces/carell.jpg"))
    told = []
    for least in (0.0, 0.3, 1.0):
        request = moderation_pb2.ModerateImageRequest(
            image=image_pb2.Image(content=content), min_confidence=least
        )
        found = stub.ModerateImage(request, metadata=platform)
        told.append({label.name: label.confidence for label in found.labels})
    assert "Gambling" in told[0], "nothing is set for it"
    assert told[0].get("Explicit", 1) >= 0.3
    assert told[1].items() <= told[0].items()
    assert not told[2]


def test_lists_and_thresholds_of_ones_own_are_listed(stub, headers, platform) -> None:
    request = moderation_pb2.ListModerationLabelsRequest()
    own = {one.name: one for one in stub.ListModerationLabels(request, metadata=platform).labels}
    others = {one.name for one in stub.ListModerationLabels(request, metadata=headers).labels}
    assert own.keys() - others == {"Blocklisted Text", "games of chance", "drinks"}
    assert own["drinks"].coverage == COVERED
    assert [own[name].min_confidence for name in ("drinks", "Explicit", "Weapons")] == (
        pytest.approx([0.2, 0.3, 0.5])
    )
