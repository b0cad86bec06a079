"""A human being is erased from every collection, and it is proved."""

import time
import uuid
from collections.abc import Iterator

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from beholden.v1 import collection_pb2, image_pb2, search_pb2, search_pb2_grpc
from tests.house import House
from tests.pictures import path

Search = search_pb2_grpc.SearchServiceStub
Headers = list[tuple[str, str]]
OBAMA, OBAMA_2 = "faces/test_images/obama.jpg", "faces/knn_examples/train/obama/obama2.jpg"
PROBE, BIDEN = "faces/knn_examples/test/obama1.jpg", "faces/test_images/biden.jpg"


def read(name: str) -> image_pb2.Image:
    return image_pb2.Image(content=path(name).read_bytes())


@pytest.fixture(scope="module")
def stub(house: House) -> Iterator[Search]:
    with house.channel() as channel:
        yield Search(channel)


@pytest.fixture(scope="module")
def tenant(house: House) -> Headers:
    return house.headers("acme-platform", "identity_verification")


class Gallery:
    """Two collections of a tenant whose others do not matter here."""

    def __init__(self, stub: Search, tenant: Headers) -> None:
        self.stub, self.tenant = stub, tenant
        self.names = [
            stub.CreateCollection(
                search_pb2.CreateCollectionRequest(collection_id=uuid.uuid4().hex), metadata=tenant
            ).collection.name
            for _ in range(2)
        ]

    def index(self, place: int, picture: str, external: str, consent: str = "") -> str:
        request = search_pb2.IndexFacesRequest(
            parent=self.names[place],
            image=read(picture),
            external_image_id=external,
            provenance=collection_pb2.Provenance(
                source="form", legal_basis="contract", consent_id=consent
            ),
        )
        return self.stub.IndexFaces(request, metadata=self.tenant).faces[0].face.name

    def left(self) -> list[str]:
        return [
            face.name
            for name in self.names
            for face in self.stub.ListFaces(
                search_pb2.ListFacesRequest(parent=name), metadata=self.tenant
            ).faces
        ]


@pytest.fixture
def gallery(stub: Search, tenant: Headers) -> Gallery:
    return Gallery(stub, tenant)


def test_by_name_consent_and_person(gallery: Gallery, stub: Search, tenant: Headers) -> None:
    who, consent = f"u-{uuid.uuid4()}", f"c-{uuid.uuid4()}"
    first = gallery.index(0, OBAMA, who, consent)
    second = gallery.index(1, OBAMA_2, who)
    other = gallery.index(1, BIDEN, "biden")
    person = stub.CreatePerson(
        search_pb2.CreatePersonRequest(parent=gallery.names[1], person_id=who), metadata=tenant
    ).person.name
    stub.AssociateFaces(
        search_pb2.AssociateFacesRequest(name=person, faces=[second]), metadata=tenant
    )
    request = search_pb2.EraseSubjectRequest(external_image_id=who, validate_only=True)
    would = stub.EraseSubject(request, metadata=tenant)
    assert not would.erased
    assert {(one.collection, one.subject_faces_before) for one in would.collections} == {
        (gallery.names[0], 1),
        (gallery.names[1], 1),
    }
    assert set(gallery.left()) == {first, second, other}

    by_consent = stub.EraseSubject(
        search_pb2.EraseSubjectRequest(consent_id=consent), metadata=tenant
    )
    (one,) = by_consent.collections
    assert by_consent.erased
    assert (one.collection, one.subject_faces_before, one.subject_faces_after) == (
        gallery.names[0],
        1,
        0,
    )
    assert (one.face_count_before, one.face_count_after, one.searches_finding_none) == (1, 0, 1)
    by_person = stub.EraseSubject(search_pb2.EraseSubjectRequest(person_id=who), metadata=tenant)
    (one,) = by_person.collections
    assert list(one.people) == [person]
    assert (one.subject_faces_before, one.face_count_before, one.face_count_after) == (1, 2, 1)
    assert by_person.collection_count >= 2
    assert gallery.left() == [other]
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetPerson(search_pb2.GetPersonRequest(name=person), metadata=tenant)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    for again in ({"person_id": who}, {"external_image_id": who}, {"consent_id": consent}):
        answer = stub.EraseSubject(search_pb2.EraseSubjectRequest(**again), metadata=tenant)
        assert answer.erased
        assert not answer.collections, "done twice, it finds nothing"
    with pytest.raises(grpc.RpcError) as caught:
        stub.EraseSubject(search_pb2.EraseSubjectRequest(), metadata=tenant)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_by_picture_what_goes_is_looked_at_first(
    gallery: Gallery, stub: Search, tenant: Headers
) -> None:
    mine = {gallery.index(0, OBAMA, "a"), gallery.index(1, OBAMA_2, "b")}
    other = gallery.index(1, BIDEN, "biden")
    request = search_pb2.EraseSubjectByImageRequest(image=read(PROBE))
    seen = stub.EraseSubjectByImage(request, metadata=tenant)
    listed = {one.face.name for place in seen.matches for one in place.candidates}
    assert mine <= listed
    assert other not in listed
    assert not seen.erased
    late = gallery.index(0, OBAMA_2, "late")
    request.etag = seen.etag
    with pytest.raises(grpc.RpcError) as caught:
        stub.EraseSubjectByImage(request, metadata=tenant)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert late in gallery.left()
    request.etag = ""
    request.etag = stub.EraseSubjectByImage(request, metadata=tenant).etag
    gone = stub.EraseSubjectByImage(request, metadata=tenant)
    assert gone.erased
    assert sum(one.subject_faces_before for one in gone.collections) == len(listed) + 1
    assert not any(one.subject_faces_after for one in gone.collections)
    assert gallery.left() == [other]


@pytest.mark.thorough
def test_a_face_goes_when_its_time_has_come(
    gallery: Gallery, stub: Search, tenant: Headers
) -> None:
    """From the store too, whose own count the collection shows."""
    end = Timestamp()
    end.FromNanoseconds(time.time_ns() + 1_500_000_000)
    request = search_pb2.IndexFacesRequest(
        parent=gallery.names[0],
        image=read(OBAMA),
        provenance=collection_pb2.Provenance(source="form", legal_basis="x", expire_time=end),
    )
    made = stub.IndexFaces(request, metadata=tenant).faces[0].face
    assert made.provenance.expire_time == end
    wanted = search_pb2.GetCollectionRequest(name=gallery.names[0])
    while stub.GetCollection(wanted, metadata=tenant).collection.face_count:
        if time.time_ns() > end.ToNanoseconds():
            assert gallery.left() == []
        time.sleep(0.1)
    assert time.time_ns() >= end.ToNanoseconds()


def test_another_tenant_keeps_its_own(
    gallery: Gallery, stub: Search, house: House, tenant: Headers
) -> None:
    who = f"u-{uuid.uuid4()}"
    face = gallery.index(0, OBAMA, who)
    theirs = house.headers("daily-herald", "editorial_research")
    answer = stub.EraseSubject(
        search_pb2.EraseSubjectRequest(external_image_id=who), metadata=theirs
    )
    assert not answer.collections
    assert face in gallery.left()
