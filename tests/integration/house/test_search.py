"""Enrol, find, delete, over the wire; and what the law makes of it."""

import uuid
from collections.abc import Iterator

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from beholden.v1 import collection_pb2, image_pb2, search_pb2, search_pb2_grpc
from tests.house import House
from tests.pictures import encode, path, pixels

PAST = collection_pb2.Provenance(source="NASA", legal_basis="public domain")
Search = search_pb2_grpc.SearchServiceStub


def read(name: str) -> image_pb2.Image:
    return image_pb2.Image(content=path(name).read_bytes())


def astronaut(**options: int) -> image_pb2.Image:
    return image_pb2.Image(content=encode(pixels("astronaut"), "JPEG", **options))


@pytest.fixture(scope="module")
def stub(house: House) -> Iterator[Search]:
    with house.channel() as channel:
        yield Search(channel)


@pytest.fixture
def newsroom(house: House) -> list[tuple[str, str]]:
    return house.headers("daily-herald", "editorial_research")


@pytest.fixture
def parent(stub: Search, newsroom: list[tuple[str, str]]) -> str:
    """An empty collection of the newsroom's."""
    made = stub.CreateCollection(
        search_pb2.CreateCollectionRequest(collection_id=uuid.uuid4().hex), metadata=newsroom
    )
    return made.collection.name


def test_finds_who_was_enrolled(stub: Search, newsroom: list[tuple[str, str]], parent: str) -> None:
    names = {
        "obama": "faces/test_images/obama.jpg",
        "biden": "faces/test_images/biden.jpg",
        "rose": "faces/knn_examples/train/rose_leslie/img1.jpg",
    }
    for who, name in names.items():
        stub.IndexFaces(
            search_pb2.IndexFacesRequest(
                parent=parent, image=read(name), external_image_id=who, provenance=PAST
            ),
            metadata=newsroom,
        )
    answer = stub.SearchFacesByImage(
        search_pb2.SearchFacesByImageRequest(
            parent=parent, image=read("faces/knn_examples/test/obama1.jpg")
        ),
        metadata=newsroom,
    )
    assert [found.face.external_image_id for found in answer.candidates] == ["obama"]
    best = answer.candidates[0]
    assert best.similarity >= 0.8
    assert best.face.provenance == PAST
    assert best.face.enrolled_by == "tester"
    everyone = stub.SearchFaces(
        search_pb2.SearchFacesRequest(name=best.face.name, min_similarity=0), metadata=newsroom
    )
    assert {found.face.external_image_id for found in everyone.candidates} <= {"biden", "rose"}


def test_the_same_request_enrols_once(
    stub: Search, newsroom: list[tuple[str, str]], parent: str
) -> None:
    request = search_pb2.IndexFacesRequest(
        parent=parent, image=astronaut(), provenance=PAST, request_id=str(uuid.uuid4())
    )
    first, second = (stub.IndexFaces(request, metadata=newsroom) for _ in range(2))
    assert first.faces[0].face.name == second.faces[0].face.name
    listed = stub.ListFaces(search_pb2.ListFacesRequest(parent=parent), metadata=newsroom)
    assert len(listed.faces) == 1
    found = stub.GetCollection(search_pb2.GetCollectionRequest(name=parent), metadata=newsroom)
    assert found.collection.face_count == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_shows_the_same_person(
    stub: Search, newsroom: list[tuple[str, str]], parent: str, orientation: int
) -> None:
    """Stored turned or mirrored with the EXIF tag that undoes it, the face is found upright."""
    import numpy as np

    undo = {1: (0, 0), 2: (0, 1), 3: (2, 0), 4: (2, 1), 5: (3, 1), 6: (1, 0), 7: (1, 1), 8: (3, 0)}
    turns, mirrored = undo[orientation]
    stored = pixels("astronaut")
    stored = stored[:, ::-1] if mirrored else stored
    stored = np.ascontiguousarray(np.rot90(stored, turns))
    stub.IndexFaces(
        search_pb2.IndexFacesRequest(parent=parent, image=astronaut(), provenance=PAST),
        metadata=newsroom,
    )
    probe = image_pb2.Image(content=encode(stored, "JPEG", orientation=orientation))
    answer = stub.SearchFacesByImage(
        search_pb2.SearchFacesByImageRequest(parent=parent, image=probe, min_similarity=0.99),
        metadata=newsroom,
    )
    assert len(answer.candidates) == 1


def test_what_is_too_small_is_left_out_and_why(
    stub: Search, newsroom: list[tuple[str, str]], parent: str
) -> None:
    request = search_pb2.IndexFacesRequest(
        parent=parent, image=read("groups/17.jpg"), max_faces=5, provenance=PAST
    )
    answer = stub.IndexFaces(request, metadata=newsroom)
    assert len(answer.faces) == 5
    reasons = {reason for left in answer.unindexed_faces for reason in left.reasons}
    assert search_pb2.UNINDEXED_REASON_SMALL_BOUNDING_BOX in reasons
    assert search_pb2.UNINDEXED_REASON_EXCEEDS_MAX_FACES in reasons


def test_deleted_faces_are_not_found(
    stub: Search, newsroom: list[tuple[str, str]], parent: str
) -> None:
    made = stub.IndexFaces(
        search_pb2.IndexFacesRequest(parent=parent, image=astronaut(), provenance=PAST),
        metadata=newsroom,
    )
    name = made.faces[0].face.name
    gone = stub.DeleteFaces(
        search_pb2.DeleteFacesRequest(parent=parent, names=[name]), metadata=newsroom
    )
    assert list(gone.deleted_names) == [name]
    answer = stub.SearchFacesByImage(
        search_pb2.SearchFacesByImageRequest(parent=parent, image=astronaut(), min_similarity=0),
        metadata=newsroom,
    )
    assert not answer.candidates
    gone = stub.DeleteCollection(search_pb2.DeleteCollectionRequest(name=parent), metadata=newsroom)
    assert gone.deleted_face_count == 0


def test_a_tenant_sees_its_own_only(
    stub: Search, house: House, newsroom: list[tuple[str, str]], parent: str
) -> None:
    other = house.headers("acme-platform")
    listed = stub.ListCollections(search_pb2.ListCollectionsRequest(), metadata=other)
    assert parent not in {item.name for item in listed.collections}
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetCollection(search_pb2.GetCollectionRequest(name=parent), metadata=other)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_police_read_which_law_stopped_them(stub: Search, house: House, parent: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.SearchFacesByImage(
            search_pb2.SearchFacesByImageRequest(parent=parent, image=astronaut()),
            metadata=house.headers("metro-police", "criminal_investigation"),
        )
    status = rpc_status.from_call(caught.value)
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    assert info.metadata["since"]
    assert "amazon-2021" in info.metadata["law"]
    assert info.metadata["decision_id"]


def test_faces_without_a_past_are_not_enrolled(
    stub: Search, newsroom: list[tuple[str, str]], parent: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.IndexFaces(
            search_pb2.IndexFacesRequest(parent=parent, image=astronaut()), metadata=newsroom
        )
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "provenance" in caught.value.details().lower()
