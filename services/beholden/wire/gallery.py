"""Collections, enrolled faces, people and provenance, to and from messages; resource names."""

from __future__ import annotations

from collections.abc import Iterable

from google.protobuf.timestamp_pb2 import Timestamp

from beholden.core.errors import InvalidArgument
from beholden.core.gallery import Collection, Face, FaceFilter, Person, Provenance, Span
from beholden.v1 import collection_pb2, image_pb2, search_pb2
from beholden.wire.faces import bounding_box, pose, quality


def collection_id(name: str) -> str:
    """`collections/{collection}` to the id; the guard has checked the form."""
    return name.split("/", 2)[1]


def face_ids(name: str) -> tuple[str, str]:
    """`collections/{collection}/faces/{face}` to both ids; the guard has checked the form."""
    _, collection, _, face = name.split("/", 3)
    return collection, face


def face_name(collection: str, face: str) -> str:
    """The resource name of a face."""
    return f"collections/{collection}/faces/{face}"


def person_ids(name: str) -> tuple[str, str]:
    """`collections/{collection}/people/{person}` to both ids; the guard has checked the form."""
    _, collection, _, person = name.split("/", 3)
    return collection, person


def person_name(collection: str, person: str) -> str:
    """The resource name of a person."""
    return f"collections/{collection}/people/{person}"


def faces_within(field: str, collection: str, names: Iterable[str]) -> list[str]:
    """The ids of faces of one collection. Raises InvalidArgument naming `field` for another's."""
    found = [face_ids(name) for name in names]
    for place, (parent, _) in enumerate(found):
        if parent != collection:
            raise InvalidArgument(f"{field}[{place}]", f"is not in collections/{collection}")
    return [face for _, face in found]


def timestamp(nanoseconds: int) -> Timestamp | None:
    """Unix nanoseconds as a message; None for 0, which means unknown."""
    if not nanoseconds:
        return None
    message = Timestamp()
    message.FromNanoseconds(nanoseconds)
    return message


def collection(item: Collection, face_count: int) -> collection_pb2.Collection:
    """A collection as a resource."""
    model, _, version = item.model.partition("@")
    return collection_pb2.Collection(
        name=f"collections/{item.id}",
        display_name=item.display_name,
        face_count=face_count,
        model=image_pb2.ModelVersion(name=model, version=version),
        create_time=timestamp(item.created_ns),
    )


def provenance_of(message: collection_pb2.Provenance) -> Provenance:
    """The request's provenance as a value."""
    return Provenance(
        source=message.source,
        legal_basis=message.legal_basis,
        consent_id=message.consent_id,
        capture_ns=message.capture_time.ToNanoseconds(),
        expire_ns=message.expire_time.ToNanoseconds(),
        acquisition=collection_pb2.Acquisition.Name(message.acquisition)
        if message.acquisition
        else "",
    )


def face(collection: str, item: Face, person: str = "") -> collection_pb2.Face:
    """An enrolled face as a resource, without its template; `person` is the id of whose it is."""
    past = item.provenance
    return collection_pb2.Face(
        name=face_name(collection, item.id),
        external_image_id=item.external_image_id,
        image_sha256=item.media_sha256,
        bounding_box=bounding_box(item.box),
        confidence=item.confidence,
        provenance=collection_pb2.Provenance(
            source=past.source,
            legal_basis=past.legal_basis,
            consent_id=past.consent_id,
            capture_time=timestamp(past.capture_ns),
            expire_time=timestamp(past.expire_ns),
            acquisition=past.acquisition or None,
            consent_issuer=past.consent_issuer,
        ),
        enrolled_by=item.enrolled_by,
        create_time=timestamp(item.enrolled_ns),
        quality=quality(item.quality) if item.quality else None,
        pose=pose(item.pose) if item.pose else None,
        size=item.size,
        person=person_name(collection, person) if person else "",
    )


def person(collection: str, item: Person) -> collection_pb2.Person:
    """A person as a resource."""
    return collection_pb2.Person(
        name=person_name(collection, item.id),
        display_name=item.display_name,
        status=f"PERSON_STATUS_{item.status.value}",
        faces=[face_name(collection, one) for one in item.faces],
        create_time=timestamp(item.created_ns),
    )


def wanted(collection: str, message: search_pb2.FaceFilter) -> FaceFilter:
    """Which faces are wanted. Raises InvalidArgument for another collection's person."""
    owner = ""
    if message.person:
        parent, owner = person_ids(message.person)
        if parent != collection:
            raise InvalidArgument("filter.person", f"is not in collections/{collection}")
    return FaceFilter(
        person=owner,
        external_image_id=message.external_image_id,
        media_sha256=message.image_sha256,
        source=message.source,
        legal_basis=message.legal_basis,
        consent_id=message.consent_id,
        enrolled_by=message.enrolled_by,
        captured=_span(message.capture_time),
        enrolled=_span(message.create_time),
        expires=_span(message.expire_time),
    )


def _span(message: search_pb2.TimeSpan) -> Span:
    return Span(message.start_time.ToNanoseconds(), message.end_time.ToNanoseconds())
