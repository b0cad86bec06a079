"""Collections, enrolled faces and their provenance, to and from messages; resource names."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from beholden.core.gallery import Collection, Face, Provenance
from beholden.v1 import collection_pb2, image_pb2
from beholden.wire.faces import bounding_box


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


def face(collection: str, item: Face) -> collection_pb2.Face:
    """An enrolled face as a resource, without its template."""
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
        ),
        enrolled_by=item.enrolled_by,
        create_time=timestamp(item.enrolled_ns),
    )
