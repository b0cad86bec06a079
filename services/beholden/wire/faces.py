"""Faces, pictures and models as messages."""

from __future__ import annotations

from beholden.core.attributes import FaceAttributes
from beholden.core.faces import DetectedFace, Pose, Quality
from beholden.core.geometry import Box, Point
from beholden.core.models import ModelSpec
from beholden.v1 import face_pb2, image_pb2
from beholden.wire.attributes import write

_LANDMARKS = (
    face_pb2.LANDMARK_TYPE_EYE_LEFT,
    face_pb2.LANDMARK_TYPE_EYE_RIGHT,
    face_pb2.LANDMARK_TYPE_NOSE,
    face_pb2.LANDMARK_TYPE_MOUTH_LEFT,
    face_pb2.LANDMARK_TYPE_MOUTH_RIGHT,
)


def model_version(model: ModelSpec) -> image_pb2.ModelVersion:
    """The model as answers name it."""
    return image_pb2.ModelVersion(name=model.name, version=str(model.version))


def box(message: image_pb2.BoundingBox) -> Box:
    """A caller's box, as it was said."""
    return Box(message.x_min, message.y_min, message.x_max, message.y_max)


def bounding_box(box: Box) -> image_pb2.BoundingBox:
    """A box, still normalised."""
    return image_pb2.BoundingBox(x_min=box.x_min, y_min=box.y_min, x_max=box.x_max, y_max=box.y_max)


def point(place: Point) -> image_pb2.Point:
    """A point, still normalised."""
    return image_pb2.Point(x=place.x, y=place.y)


def pose(turned: Pose) -> face_pb2.Pose:
    """How a head is turned."""
    return face_pb2.Pose(roll=turned.roll, yaw=turned.yaw, pitch=turned.pitch)


def quality(measured: Quality) -> face_pb2.FaceQuality:
    """How usable a face's pixels are."""
    return face_pb2.FaceQuality(brightness=measured.brightness, sharpness=measured.sharpness)


def detected_face(face: DetectedFace, told: FaceAttributes | None = None) -> face_pb2.DetectedFace:
    """A face as found with what was `told` of it, without its template."""
    found = face_pb2.DetectedFace(
        bounding_box=bounding_box(face.box),
        confidence=face.confidence,
        landmarks=[
            face_pb2.Landmark(type=kind, point=point(place))
            for kind, place in zip(_LANDMARKS, face.landmarks.points(), strict=True)
        ],
        pose=pose(face.pose),
        quality=quality(face.quality),
    )
    if told is not None:
        write(told, found)
    return found
