"""Face attributes as requests ask for them and as messages tell them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from beholden.core.attributes import FaceAttribute, FaceAttributes
from beholden.core.errors import InvalidArgument
from beholden.v1 import face_pb2, policy_pb2

_PREFIX = "FACE_ATTRIBUTE_"


def asked(wanted: Iterable[face_pb2.FaceAttribute]) -> frozenset[FaceAttribute] | None:
    """What a request asks of each face; None where it asks for all that can be told.

    Raises InvalidArgument for an attribute that is not said.
    """
    names = {face_pb2.FaceAttribute.Name(one).removeprefix(_PREFIX) for one in wanted}
    if "UNSPECIFIED" in names:
        known = ", ".join(["ALL", *(one.value for one in FaceAttribute)])
        raise InvalidArgument(
            "attributes", f"{_PREFIX}UNSPECIFIED asks for nothing; known: {known}"
        )
    return None if "ALL" in names else frozenset(map(FaceAttribute, names))


def withheld(classes: Collection[str]) -> frozenset[FaceAttribute]:
    """The attributes whose field is of one of the redacted `classes`."""
    fields = face_pb2.DetectedFace.DESCRIPTOR.fields_by_name
    return frozenset(one for one in FaceAttribute if _class(fields[one.value.lower()]) in classes)


def write(told: FaceAttributes, face: face_pb2.DetectedFace) -> None:
    """Writes what was told into `face`; the rest stays absent."""
    if told.age_range is not None:
        face.age_range.low, face.age_range.high = told.age_range.low, told.age_range.high
    if (presentation := told.gender_presentation) is not None:
        face.gender_presentation.confidence = presentation.confidence
        face.gender_presentation.type = (
            face_pb2.GENDER_PRESENTATION_TYPE_MASCULINE
            if presentation.masculine
            else face_pb2.GENDER_PRESENTATION_TYPE_FEMININE
        )
    for one in told.emotions:
        kind = face_pb2.EmotionType.Value(f"EMOTION_TYPE_{one.type.value}")
        face.emotions.add(type=kind, confidence=one.confidence)
    if told.liveness is not None:
        face.liveness = told.liveness
    if told.spoof_score is not None:
        face.spoof_score = told.spoof_score


def _class(field: Any) -> str:
    return str(field.GetOptions().Extensions[policy_pb2.field_policy].redact)
