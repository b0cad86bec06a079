"""People, a face's past, and searches that explain themselves, over the wire."""

import math
import uuid
from collections.abc import Iterator

import grpc
import numpy as np
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from beholden.v1 import collection_pb2, image_pb2, search_pb2, search_pb2_grpc
from tests.house import House
from tests.pictures import encode, path, pixels

Search = search_pb2_grpc.SearchServiceStub
Code = grpc.StatusCode
OBAMA, OBAMA_2 = "faces/test_images/obama.jpg", "faces/knn_examples/train/obama/obama2.jpg"
PROBE, BIDEN = "faces/knn_examples/test/obama1.jpg", "faces/test_images/biden.jpg"


def read(name: str) -> image_pb2.Image:
    return image_pb2.Image(content=path(name).read_bytes())


@pytest.fixture(scope="module")
def stub(house: House) -> Iterator[Search]:
    with house.channel() as channel:
        yield Search(channel)


@pytest.fixture(scope="module")
def newsroom(house: House) -> list[tuple[str, str]]:
    return house.headers("daily-herald", "editorial_research")


@pytest.fixture(scope="module")
def gallery(stub: Search, newsroom: list[tuple[str, str]]) -> tuple[str, dict[str, str]]:
    """A collection, and the faces in it by picture."""
    made = stub.CreateCollection(
        search_pb2.CreateCollectionRequest(collection_id=uuid.uuid4().hex), metadata=newsroom
    )
    faces = {}
    for name, at in ((OBAMA, 100), (OBAMA_2, 200), (BIDEN, 300)):
        past = collection_pb2.Provenance(
            source="NASA", legal_basis="public domain", capture_time=Timestamp(seconds=at)
        )
        request = search_pb2.IndexFacesRequest(
            parent=made.collection.name,
            image=read(name),
            provenance=past,
            external_image_id=name.rpartition("/")[2],
        )
        faces[name] = stub.IndexFaces(request, metadata=newsroom).faces[0].face.name
    return made.collection.name, faces


def refusal(error: grpc.RpcError) -> str:
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in rpc_status.from_call(error).details)
    return info.reason


def test_a_person_is_searched_by_all_their_faces(
    stub: Search, newsroom: list[tuple[str, str]], gallery: tuple[str, dict[str, str]]
) -> None:
    parent, faces = gallery
    for who in ("obama", "biden"):
        stub.CreatePerson(
            search_pb2.CreatePersonRequest(parent=parent, person_id=who), metadata=newsroom
        )
    obama, biden = f"{parent}/people/obama", f"{parent}/people/biden"
    done = stub.AssociateFaces(
        search_pb2.AssociateFacesRequest(name=obama, faces=[faces[OBAMA], faces[OBAMA_2]]),
        metadata=newsroom,
    )
    assert set(done.person.faces) == {faces[OBAMA], faces[OBAMA_2]}
    assert done.person.status == collection_pb2.PERSON_STATUS_ACTIVE
    done = stub.AssociateFaces(
        search_pb2.AssociateFacesRequest(name=biden, faces=[faces[BIDEN], faces[OBAMA]]),
        metadata=newsroom,
    )
    assert [(one.name, one.reason) for one in done.unassociated_faces] == [
        (faces[OBAMA], search_pb2.UNASSOCIATED_REASON_FACE_OF_ANOTHER_PERSON)
    ]
    answer = stub.SearchPeopleByImage(
        search_pb2.SearchPeopleByImageRequest(
            parent=parent, image=read(PROBE), min_similarity=0, quality_filter="QUALITY_FILTER_AUTO"
        ),
        metadata=newsroom,
    )
    (best,) = answer.candidates
    assert best.person.name == obama
    assert best.similarity >= 0.8
    assert best.margin > 0.5, "the other is another man"
    assert answer.explanation.gallery_size == 2
    for name in (faces[OBAMA], obama):
        request = search_pb2.SearchPeopleRequest(name=name)
        assert not stub.SearchPeople(request, metadata=newsroom).candidates, "themselves left out"
    twin = stub.CreatePerson(
        search_pb2.CreatePersonRequest(parent=parent, person_id="twin"), metadata=newsroom
    ).person.name
    second = [faces[OBAMA_2]]
    stub.DisassociateFaces(
        search_pb2.DisassociateFacesRequest(name=obama, faces=second), metadata=newsroom
    )
    stub.AssociateFaces(
        search_pb2.AssociateFacesRequest(name=twin, faces=second), metadata=newsroom
    )
    for name in (faces[OBAMA], obama):
        like = stub.SearchPeople(search_pb2.SearchPeopleRequest(name=name), metadata=newsroom)
        assert [one.person.name for one in like.candidates] == [twin]
    listed = stub.ListPeople(search_pb2.ListPeopleRequest(parent=parent), metadata=newsroom)
    assert [one.name for one in listed.people] == [biden, obama, twin]
    got = stub.GetPerson(search_pb2.GetPersonRequest(name=biden), metadata=newsroom).person
    assert list(got.faces) == [faces[BIDEN]]

    gone = stub.DeleteFaces(
        search_pb2.DeleteFacesRequest(parent=parent, names=[faces[BIDEN]]), metadata=newsroom
    )
    assert not gone.deleted_names
    assert not gone.missing_names
    assert [(one.name, one.person) for one in gone.associated_faces] == [(faces[BIDEN], biden)]
    done = stub.DisassociateFaces(
        search_pb2.DisassociateFacesRequest(name=biden, faces=[faces[BIDEN], faces[OBAMA]]),
        metadata=newsroom,
    )
    assert done.person.status == collection_pb2.PERSON_STATUS_CREATED
    assert [one.name for one in done.unassociated_faces] == [faces[OBAMA]]
    with pytest.raises(grpc.RpcError) as caught:
        stub.SearchPeople(search_pb2.SearchPeopleRequest(name=biden), metadata=newsroom)
    assert caught.value.code() is Code.FAILED_PRECONDITION
    stub.DeletePerson(search_pb2.DeletePersonRequest(name=biden), metadata=newsroom)
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetPerson(search_pb2.GetPersonRequest(name=biden), metadata=newsroom)
    assert caught.value.code() is Code.NOT_FOUND


def test_faces_are_listed_by_their_past(
    stub: Search, newsroom: list[tuple[str, str]], gallery: tuple[str, dict[str, str]]
) -> None:
    parent, faces = gallery

    def listed(**wanted: object) -> list[str]:
        request = search_pb2.ListFacesRequest(
            parent=parent,
            filter=search_pb2.FaceFilter(**wanted),  # type: ignore[arg-type]
        )
        return [one.name for one in stub.ListFaces(request, metadata=newsroom).faces]

    early = search_pb2.TimeSpan(end_time=Timestamp(seconds=200))
    assert listed(capture_time=early) == [faces[OBAMA]]
    assert listed(external_image_id="biden.jpg", enrolled_by="tester") == [faces[BIDEN]]
    assert len(listed(source="NASA", legal_basis="public domain")) == 3
    assert listed(source="nasa") == []
    with pytest.raises(grpc.RpcError) as caught:
        listed(person="collections/other/people/obama")
    assert caught.value.code() is Code.INVALID_ARGUMENT
    assert "filter.person" in str(caught.value.details())


def test_a_search_explains_itself(
    stub: Search, house: House, newsroom: list[tuple[str, str]], gallery: tuple[str, dict[str, str]]
) -> None:
    parent, faces = gallery
    request = search_pb2.SearchFacesByImageRequest(parent=parent, image=read(PROBE))
    answer = stub.SearchFacesByImage(request, metadata=newsroom)
    said = answer.explanation
    assert said.threshold_source == search_pb2.THRESHOLD_SOURCE_DEFAULT, "the law asks for as much"
    assert said.min_similarity == pytest.approx(0.8)
    assert said.gallery_size == 3
    chance = said.false_positives
    assert chance.rate == pytest.approx(
        1 - math.pow(1 - chance.false_matches / chance.pairs, 3), abs=1e-9
    )
    assert chance.rate < chance.at_most < 0.05
    best, other = answer.candidates[:2]
    assert {best.face.name, other.face.name} == {faces[OBAMA], faces[OBAMA_2]}
    assert best.margin == pytest.approx(best.similarity - other.similarity, abs=1e-6)
    assert other.margin > 0.5, "the next is another man"
    assert best.face.quality.sharpness > 0.25
    assert best.face.size > 40
    assert not said.probe_problems

    request = search_pb2.SearchFacesRequest(name=faces[OBAMA], min_similarity=0.9)
    said = stub.SearchFaces(request, metadata=newsroom).explanation
    assert said.threshold_source == search_pb2.THRESHOLD_SOURCE_REQUEST
    assert not said.probe_problems

    finder = house.headers("find-the-lost", "victim_identification")
    mine = stub.CreateCollection(
        search_pb2.CreateCollectionRequest(collection_id=uuid.uuid4().hex), metadata=finder
    )
    request = search_pb2.SearchFacesByImageRequest(
        parent=mine.collection.name, image=read(PROBE), min_similarity=0.5
    )
    said = stub.SearchFacesByImage(request, metadata=finder).explanation
    assert said.threshold_source == search_pb2.THRESHOLD_SOURCE_OBLIGATION
    assert (said.min_similarity, said.threshold_law) == (pytest.approx(0.85), "thresholds")
    assert ("max_results", "100") in [(one.kind, one.value) for one in said.obligations]


def test_a_poor_probe_is_flagged_and_refused_where_asked(
    stub: Search, newsroom: list[tuple[str, str]], gallery: tuple[str, dict[str, str]]
) -> None:
    dark = (pixels("astronaut") // 16).astype(np.uint8)
    poor = image_pb2.Image(content=encode(dark, "PNG"))
    request = search_pb2.SearchFacesByImageRequest(parent=gallery[0], image=poor)
    said = stub.SearchFacesByImage(request, metadata=newsroom).explanation
    assert search_pb2.UNINDEXED_REASON_LOW_BRIGHTNESS in said.probe_problems
    request.quality_filter = search_pb2.QUALITY_FILTER_AUTO
    with pytest.raises(grpc.RpcError) as caught:
        stub.SearchFacesByImage(request, metadata=newsroom)
    assert (caught.value.code(), refusal(caught.value)) == (Code.INVALID_ARGUMENT, "LOW_QUALITY")
    assert "LOW_BRIGHTNESS" in str(caught.value.details())


def test_police_may_not_search_people(stub: Search, house: House) -> None:
    request = search_pb2.SearchPeopleByImageRequest(parent="collections/x", image=read(PROBE))
    with pytest.raises(grpc.RpcError) as caught:
        stub.SearchPeopleByImage(
            request, metadata=house.headers("metro-police", "criminal_investigation")
        )
    assert caught.value.code() is Code.PERMISSION_DENIED
