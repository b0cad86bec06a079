"""What is unsafe in pictures, and what can be told of it, over the wire."""

from collections.abc import Iterator

import grpc
import pytest

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
    return house.headers("acme-platform")


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
