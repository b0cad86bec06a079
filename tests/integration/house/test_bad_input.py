"""Bad pictures, numbers and names, over the wire, for every RPC that takes them."""

from collections.abc import Callable, Iterator

import grpc
import numpy as np
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from beholden.v1 import (
    collection_pb2,
    detection_pb2,
    detection_pb2_grpc,
    embedding_pb2,
    embedding_pb2_grpc,
    image_pb2,
    moderation_pb2,
    moderation_pb2_grpc,
    redaction_pb2,
    search_pb2,
    search_pb2_grpc,
    text_pb2,
)
from tests import pictures
from tests.house import House

GOOD = collection_pb2.Provenance(source="test", legal_basis="test")
PARENT = "collections/bad-input"
ABSENT = "collections/nowhere"
FACE = "/faces/00000000-0000-4000-8000-000000000000"

Ask = Callable[[object], object]


class Stubs:
    """Every service of a house, as one tenant."""

    def __init__(self, channel: grpc.Channel, headers: list[tuple[str, str]]) -> None:
        self.headers = headers
        self.detection = detection_pb2_grpc.DetectionServiceStub(channel)
        self.embedding = embedding_pb2_grpc.EmbeddingServiceStub(channel)
        self.search = search_pb2_grpc.SearchServiceStub(channel)
        self.moderation = moderation_pb2_grpc.ModerationServiceStub(channel)

    def refused(self, call: Callable[..., object], request: object) -> tuple[str, set[str], str]:
        """The status, the fields that BadRequest names, and the message."""
        with pytest.raises(grpc.RpcError) as caught:
            call(request, metadata=self.headers)
        status = rpc_status.from_call(caught.value)
        fields = set()
        for detail in status.details if status else ():
            bad = error_details_pb2.BadRequest()
            if detail.Unpack(bad):
                fields |= {violation.field for violation in bad.field_violations}
        return caught.value.code().name, fields, caught.value.details()


@pytest.fixture(scope="module")
def stubs(house: House) -> Iterator[Stubs]:
    with house.channel() as channel:
        made = Stubs(channel, house.headers("daily-herald", "editorial_research"))
        made.search.CreateCollection(
            search_pb2.CreateCollectionRequest(collection_id="bad-input"), metadata=made.headers
        )
        yield made


def bad_pictures() -> Iterator[tuple[str, bytes]]:
    whole = pictures.encode(np.full((200, 300, 3), 128, np.uint8), "JPEG")
    yield "truncated", whole[: len(whole) // 2]
    yield "not a picture", b"\xff\xd8\xff" + bytes(2000)
    yield "gif", pictures.encode(np.zeros((40, 40, 3), np.uint8), "GIF")
    yield "svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    yield "pdf", b"%PDF-1.7\n%..."
    yield "html", b"<!doctype html><title>x</title>"
    yield "over 5 MiB", bytes(5 * 2**20 + 1)
    yield "1 x 5000", pictures.encode(np.zeros((5000, 1, 3), np.uint8))
    yield "5000 x 15", pictures.encode(np.zeros((15, 5000, 3), np.uint8))
    yield "1 x 1", pictures.encode(np.zeros((1, 1, 3), np.uint8))
    # Swollen profiles and texts are not read at all, so those two pictures are good ones.
    good = {"ICC profile", "compressed texts"}
    yield from ((kind, content) for kind, content in pictures.bombs() if kind not in good)


BAD = dict(bad_pictures())


def picture_calls(
    stubs: Stubs, content: bytes
) -> Iterator[tuple[Callable[..., object], object, str]]:
    """Every RPC that takes a picture, asked with this one."""
    image = image_pb2.Image(content=content)
    good = image_pb2.Image(content=pictures.encode(np.full((64, 64, 3), 128, np.uint8)))
    yield stubs.detection.DetectFaces, detection_pb2.DetectFacesRequest(image=image), "image"
    yield stubs.detection.DetectLabels, detection_pb2.DetectLabelsRequest(image=image), "image"
    yield stubs.detection.DetectText, detection_pb2.DetectTextRequest(image=image), "image"
    yield (
        stubs.detection.RedactImage,
        detection_pb2.RedactImageRequest(image=image, kinds=[redaction_pb2.REDACTION_KIND_FACE]),
        "image",
    )
    yield stubs.embedding.EmbedFaces, embedding_pb2.EmbedFacesRequest(image=image), "image"
    yield (
        stubs.embedding.CompareFaces,
        embedding_pb2.CompareFacesRequest(source=image, target=good),
        "source",
    )
    yield (
        stubs.embedding.CompareFaces,
        embedding_pb2.CompareFacesRequest(source=good, target=image),
        "target",
    )
    yield stubs.moderation.ModerateImage, moderation_pb2.ModerateImageRequest(image=image), "image"
    yield (
        stubs.search.IndexFaces,
        search_pb2.IndexFacesRequest(parent=PARENT, image=image, provenance=GOOD),
        "image",
    )
    yield (
        stubs.search.SearchFacesByImage,
        search_pb2.SearchFacesByImageRequest(parent=PARENT, image=image),
        "image",
    )


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_picture_is_refused_by_name(stubs: Stubs, kind: str) -> None:
    for call, request, field in picture_calls(stubs, BAD[kind]):
        code, fields, message = stubs.refused(call, request)
        assert code == "INVALID_ARGUMENT", message
        assert fields == {f"{field}.content"}, message


def test_a_side_that_is_too_short_is_said_with_what_would_do(stubs: Stubs) -> None:
    for call, request, _ in picture_calls(stubs, BAD["5000 x 15"]):
        assert "5000 x 15 pixels; at least 16 a side" in stubs.refused(call, request)[2]


@pytest.mark.parametrize("shape", [(16, 5000, 3), (5000, 16, 3)])
def test_a_long_strip_is_a_picture(stubs: Stubs, shape: tuple[int, int, int]) -> None:
    """Labels and text have tests of their own for it."""
    strip = pictures.encode(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    image = image_pb2.Image(content=strip)
    every = [redaction_pb2.REDACTION_KIND_FACE, redaction_pb2.REDACTION_KIND_TEXT]
    detect = detection_pb2.DetectFacesRequest(image=image)
    assert stubs.detection.DetectFaces(detect, metadata=stubs.headers).image_size.height == shape[0]
    moderate = moderation_pb2.ModerateImageRequest(image=image)
    assert stubs.moderation.ModerateImage(moderate, metadata=stubs.headers).models
    redact = detection_pb2.RedactImageRequest(image=image, kinds=every)
    assert stubs.detection.RedactImage(redact, metadata=stubs.headers).image_size.width == shape[1]


def test_no_picture_is_refused_by_name(stubs: Stubs) -> None:
    for call, request, field in picture_calls(stubs, b""):
        code, fields, message = stubs.refused(call, request)
        assert code == "INVALID_ARGUMENT", message
        assert fields <= {field, f"{field}.content"}, message
        assert fields, message


def test_nothing_was_half_written(stubs: Stubs) -> None:
    listed = stubs.search.ListFaces(
        search_pb2.ListFacesRequest(parent=PARENT), metadata=stubs.headers
    )
    assert not listed.faces


def test_a_picture_without_a_face(stubs: Stubs) -> None:
    empty = image_pb2.Image(content=pictures.encode(np.full((64, 64, 3), 128, np.uint8)))
    found = stubs.detection.DetectFaces(
        detection_pb2.DetectFacesRequest(image=empty), metadata=stubs.headers
    )
    assert not found.faces
    indexed = stubs.search.IndexFaces(
        search_pb2.IndexFacesRequest(parent=PARENT, image=empty, provenance=GOOD),
        metadata=stubs.headers,
    )
    assert not indexed.faces
    assert not indexed.unindexed_faces
    for call, request, field in (
        (
            stubs.search.SearchFacesByImage,
            search_pb2.SearchFacesByImageRequest(parent=PARENT, image=empty),
            "image.content",
        ),
        (
            stubs.embedding.CompareFaces,
            embedding_pb2.CompareFacesRequest(source=empty, target=empty),
            "source.content",
        ),
    ):
        assert stubs.refused(call, request)[:2] == ("INVALID_ARGUMENT", {field})


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -0.1, 1.5])
def test_thresholds_are_numbers_from_0_to_1(stubs: Stubs, number: float) -> None:
    image = image_pb2.Image(content=pictures.encode(np.full((64, 64, 3), 128, np.uint8)))
    for call, request, field in (
        (
            stubs.detection.DetectFaces,
            detection_pb2.DetectFacesRequest(image=image, min_confidence=number),
            "min_confidence",
        ),
        (
            stubs.embedding.CompareFaces,
            embedding_pb2.CompareFacesRequest(source=image, target=image, min_similarity=number),
            "min_similarity",
        ),
        (
            stubs.search.SearchFacesByImage,
            search_pb2.SearchFacesByImageRequest(parent=PARENT, image=image, min_similarity=number),
            "min_similarity",
        ),
        (
            stubs.search.SearchFaces,
            search_pb2.SearchFacesRequest(name=PARENT + FACE, min_similarity=number),
            "min_similarity",
        ),
        (
            stubs.moderation.ModerateImage,
            moderation_pb2.ModerateImageRequest(image=image, min_confidence=number),
            "min_confidence",
        ),
        (
            stubs.detection.DetectLabels,
            detection_pb2.DetectLabelsRequest(image=image, min_confidence=number),
            "min_confidence",
        ),
        (
            stubs.detection.DetectText,
            detection_pb2.DetectTextRequest(
                image=image, word_filter=text_pb2.WordFilter(min_confidence=number)
            ),
            "word_filter.min_confidence",
        ),
        (
            stubs.detection.RedactImage,
            detection_pb2.RedactImageRequest(
                image=image,
                kinds=[redaction_pb2.REDACTION_KIND_UNSAFE],
                min_unsafe_confidence=number,
            ),
            "min_unsafe_confidence",
        ),
    ):
        assert stubs.refused(call, request)[:2] == ("INVALID_ARGUMENT", {field})


def test_a_collection_that_is_not_there(stubs: Stubs) -> None:
    image = image_pb2.Image(content=pictures.encode(np.full((64, 64, 3), 128, np.uint8)))
    search = stubs.search
    for call, request in (
        (search.GetCollection, search_pb2.GetCollectionRequest(name=ABSENT)),
        (search.DeleteCollection, search_pb2.DeleteCollectionRequest(name=ABSENT)),
        (search.ListFaces, search_pb2.ListFacesRequest(parent=ABSENT)),
        (
            search.IndexFaces,
            search_pb2.IndexFacesRequest(parent=ABSENT, image=image, provenance=GOOD),
        ),
        (search.DeleteFaces, search_pb2.DeleteFacesRequest(parent=ABSENT, names=[ABSENT + FACE])),
        (search.SearchFaces, search_pb2.SearchFacesRequest(name=ABSENT + FACE)),
        (search.SearchFaces, search_pb2.SearchFacesRequest(name=PARENT + FACE)),
        (
            search.SearchFacesByImage,
            search_pb2.SearchFacesByImageRequest(parent=ABSENT, image=image),
        ),
    ):
        code, _, message = stubs.refused(call, request)
        assert code == "NOT_FOUND", message


@pytest.mark.parametrize(
    "name",
    [
        "",
        "bad-input",
        "collections/",
        "collections/a/b",
        "collections/ü",
        "collections/" + "a" * 256,
    ],
)
def test_names_that_are_none(stubs: Stubs, name: str) -> None:
    code, fields, message = stubs.refused(
        stubs.search.GetCollection, search_pb2.GetCollectionRequest(name=name)
    )
    assert (code, fields) == ("INVALID_ARGUMENT", {"name"}), message


def test_a_collection_is_made_once(stubs: Stubs) -> None:
    code, _, message = stubs.refused(
        stubs.search.CreateCollection,
        search_pb2.CreateCollectionRequest(collection_id="bad-input"),
    )
    assert code == "ALREADY_EXISTS"
    assert "bad-input" in message


def test_a_page_token_of_ones_own(stubs: Stubs) -> None:
    for call, request in (
        (stubs.search.ListFaces, search_pb2.ListFacesRequest(parent=PARENT, page_token="x")),
        (stubs.search.ListCollections, search_pb2.ListCollectionsRequest(page_token="x")),
    ):
        assert stubs.refused(call, request)[:2] == ("INVALID_ARGUMENT", {"page_token"})


def test_faces_of_another_collection_are_not_deleted(stubs: Stubs) -> None:
    request = search_pb2.DeleteFacesRequest(parent=PARENT, names=[ABSENT + FACE])
    assert stubs.refused(stubs.search.DeleteFaces, request)[:2] == (
        "INVALID_ARGUMENT",
        {"names[0]"},
    )
    missing = stubs.search.DeleteFaces(
        search_pb2.DeleteFacesRequest(parent=PARENT, names=[PARENT + FACE]),
        metadata=stubs.headers,
    )
    assert list(missing.missing_names) == [PARENT + FACE]
    assert not missing.deleted_names


def test_an_expiry_in_the_past(stubs: Stubs) -> None:
    past = collection_pb2.Provenance(source="test", legal_basis="test")
    past.expire_time.FromSeconds(1)
    request = search_pb2.IndexFacesRequest(
        parent=PARENT,
        image=image_pb2.Image(content=pictures.encode(np.full((64, 64, 3), 128, np.uint8))),
        provenance=past,
    )
    assert stubs.refused(stubs.search.IndexFaces, request)[:2] == (
        "INVALID_ARGUMENT",
        {"provenance.expire_time"},
    )
