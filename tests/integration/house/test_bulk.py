"""Many faces in one stream, over the wire: each answered for itself, once enrolled however often sent."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
import numpy as np
import pytest
from google.rpc import code_pb2, error_details_pb2

from beholden.v1 import (
    collection_pb2,
    enrolment_pb2,
    image_pb2,
    search_pb2,
    search_pb2_grpc,
)
from tests.house import House
from tests.pictures import encode, pixels

PAST = collection_pb2.Provenance(source="NASA", legal_basis="public domain")
MODEL = "dlib_resnet_v1@1"
Search = search_pb2_grpc.SearchServiceStub
Headers = list[tuple[str, str]]


@pytest.fixture(scope="module")
def stub(house: House) -> Iterator[Search]:
    with house.channel() as channel:
        yield Search(channel)


@pytest.fixture(scope="module")
def newsroom(house: House) -> Headers:
    return house.headers("daily-herald", "editorial_research")


@pytest.fixture
def parent(stub: Search, newsroom: Headers) -> str:
    made = stub.CreateCollection(
        search_pb2.CreateCollectionRequest(collection_id=uuid.uuid4().hex), metadata=newsroom
    )
    return made.collection.name


def enrolment(parent: str, **more: Any) -> enrolment_pb2.BulkEnrolment:
    return enrolment_pb2.BulkEnrolment(parent=parent, **{"provenance": PAST, **more})


def index(
    stub: Search, headers: Headers, start: enrolment_pb2.BulkEnrolment, *contents: bytes
) -> list[enrolment_pb2.EnrolmentResult]:
    def messages() -> Iterator[enrolment_pb2.BulkIndexFacesRequest]:
        yield enrolment_pb2.BulkIndexFacesRequest(
            start=enrolment_pb2.BulkIndexStart(enrolment=start)
        )
        for number, content in enumerate(contents):
            yield enrolment_pb2.BulkIndexFacesRequest(
                picture=enrolment_pb2.BulkPicture(
                    image=image_pb2.Image(content=content), external_image_id=f"p{number}"
                )
            )

    answers = stub.BulkIndexFaces(messages(), metadata=headers, timeout=60)
    return [result for answer in answers for result in answer.results]


def take(
    stub: Search,
    headers: Headers,
    start: enrolment_pb2.BulkEnrolment,
    *batches: np.ndarray,
    model: str = MODEL,
) -> list[enrolment_pb2.EnrolmentResult]:
    def messages() -> Iterator[enrolment_pb2.ImportFacesRequest]:
        yield enrolment_pb2.ImportFacesRequest(
            start=enrolment_pb2.ImportStart(enrolment=start, model=model)
        )
        for batch in batches:
            faces = [
                enrolment_pb2.ImportedFace(external_image_id=f"t{row}") for row in range(len(batch))
            ]
            yield enrolment_pb2.ImportFacesRequest(
                batch=enrolment_pb2.ImportBatch(
                    templates=batch.astype("<f4").tobytes(), faces=faces
                )
            )

    answers = stub.ImportFaces(messages(), metadata=headers, timeout=60)
    return [result for answer in answers for result in answer.results]


def directions(count: int, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, 128))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def codes(results: Sequence[enrolment_pb2.EnrolmentResult]) -> list[tuple[int, str]]:
    return [
        (one.item, "" if one.HasField("face") else code_pb2.Code.Name(one.status.code))
        for one in results
    ]


def faces(stub: Search, headers: Headers, parent: str) -> list[collection_pb2.Face]:
    request = search_pb2.ListFacesRequest(parent=parent, page_size=1000)
    return list(stub.ListFaces(request, metadata=headers).faces)


def refused(call: Any, *arguments: Any, **options: Any) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **options)
    return caught.value


def test_each_picture_is_answered_and_enrolled_once(
    stub: Search, newsroom: Headers, parent: str
) -> None:
    portrait = encode(pixels("astronaut"), "JPEG")
    scenery = encode(np.full((80, 80, 3), 90, np.uint8), "PNG")
    sent = (portrait, b"\xff\xd8\xff\xe0 cut short", scenery, portrait)
    first = index(stub, newsroom, enrolment(parent), *sent)
    assert codes(first) == [
        (0, ""),
        (1, "INVALID_ARGUMENT"),
        (2, "INVALID_ARGUMENT"),
        (3, "ALREADY_EXISTS"),
    ]
    info = error_details_pb2.ErrorInfo()
    first[2].status.details[0].Unpack(info)
    assert info.reason == "NO_FACE"
    [kept] = faces(stub, newsroom, parent)
    assert kept == first[0].face
    assert (kept.external_image_id, kept.provenance) == ("p0", PAST)
    there = error_details_pb2.ResourceInfo()
    first[3].status.details[1].Unpack(there)
    assert there.resource_name == kept.name

    # A stream that broke is sent again from its beginning, at worst.
    assert codes(index(stub, newsroom, enrolment(parent), *sent))[0] == (0, "ALREADY_EXISTS")
    assert faces(stub, newsroom, parent) == [kept]


def test_a_picture_of_an_earlier_batch_is_there(
    stub: Search, newsroom: Headers, parent: str
) -> None:
    """Both batches of eight are worked on at once."""
    portrait = encode(pixels("astronaut"), "JPEG")
    results = index(stub, newsroom, enrolment(parent), portrait, *[b"no picture"] * 7, portrait)
    assert [code for _, code in codes(results)] == ["", *["INVALID_ARGUMENT"] * 7, "ALREADY_EXISTS"]


def test_a_picture_that_was_saved_anew_is_left_out_where_asked(
    stub: Search, newsroom: Headers, parent: str
) -> None:
    saved = [encode(pixels("astronaut"), "JPEG", quality=quality) for quality in (95, 88)]
    start = enrolment(parent, duplicate_cosine=0.99)
    assert codes(index(stub, newsroom, start, *saved)) == [(0, ""), (1, "ALREADY_EXISTS")]
    assert codes(index(stub, newsroom, enrolment(parent), saved[1])) == [(0, "")]


def test_ready_templates_are_found_again(stub: Search, newsroom: Headers, parent: str) -> None:
    rows = directions(30)
    results = take(stub, newsroom, enrolment(parent), rows[:20], rows[20:])
    assert codes(results) == [(number, "") for number in range(30)]
    again = take(stub, newsroom, enrolment(parent), rows[:20])
    assert [one.face.name for one in again] == [one.face.name for one in results[:20]]
    kept = faces(stub, newsroom, parent)
    assert {face.name for face in kept} == {one.face.name for one in results}
    assert {face.enrolled_by for face in kept} == {"tester"}

    near = rows[7:8] + 0.02 * directions(1, seed=1)
    near /= np.linalg.norm(near)
    start = enrolment(parent, duplicate_cosine=0.999)
    exists, fresh = take(stub, newsroom, start, np.vstack((near, directions(1, seed=2))))
    there = error_details_pb2.ResourceInfo()
    exists.status.details[1].Unpack(there)
    assert there.resource_name == results[7].face.name
    assert fresh.HasField("face")


def test_a_bad_template_fails_alone(stub: Search, newsroom: Headers, parent: str) -> None:
    rows = directions(4)
    rows[1] *= 1.1
    rows[2, 5] = np.nan
    results = take(stub, newsroom, enrolment(parent), rows)
    assert [code for _, code in codes(results)] == [
        "",
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        "",
    ]
    assert len(faces(stub, newsroom, parent)) == 2


def test_templates_of_another_model_or_size_are_refused(
    stub: Search, newsroom: Headers, parent: str
) -> None:
    start = enrolment(parent)
    other = refused(take, stub, newsroom, start, directions(2), model="mobilefacenet@1")
    assert other.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert MODEL in other.details()
    short = refused(take, stub, newsroom, start, directions(2)[:, :64])
    assert short.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "128" in short.details()
    assert faces(stub, newsroom, parent) == []


def test_a_stream_begins_with_what_holds_for_all(
    stub: Search, newsroom: Headers, parent: str
) -> None:
    picture = enrolment_pb2.BulkIndexFacesRequest(
        picture=enrolment_pb2.BulkPicture(image=image_pb2.Image(content=b"x"))
    )
    headless = refused(lambda: list(stub.BulkIndexFaces(iter([picture]), metadata=newsroom)))
    assert headless.code() in {
        grpc.StatusCode.PERMISSION_DENIED,  # the law was not told where the faces come from
        grpc.StatusCode.INVALID_ARGUMENT,
    }
    unsourced = enrolment(parent, provenance=collection_pb2.Provenance())
    denied = refused(take, stub, newsroom, unsourced, directions(1))
    assert denied.code() is grpc.StatusCode.PERMISSION_DENIED
    start = enrolment_pb2.ImportFacesRequest(
        start=enrolment_pb2.ImportStart(enrolment=enrolment(parent), model=MODEL)
    )
    twice = refused(lambda: list(stub.ImportFaces(iter([start, start]), metadata=newsroom)))
    assert twice.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "batch" in twice.details()


def test_nobody_elses_collection(house: House, stub: Search, parent: str) -> None:
    stranger = house.headers("acme-platform", "content_safety")
    error = refused(take, stub, stranger, enrolment(parent), directions(1))
    assert error.code() in {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.PERMISSION_DENIED}
