"""Does the service tell attributes rightly? On real pictures, over the wire: docs/accuracy.md."""

from collections.abc import Callable, Iterator

import pytest

from beholden.v1 import detection_pb2, detection_pb2_grpc, face_pb2, image_pb2
from tests.house import House
from tests.known import SMALL, WOMEN
from tests.pictures import DATA, missing, path

Ask = Callable[..., list[face_pb2.DetectedFace]]


@pytest.fixture(scope="module")
def ask(house: House) -> Iterator[Ask]:
    with house.channel() as channel:
        stub = detection_pb2_grpc.DetectionServiceStub(channel)
        headers = house.headers("find-the-lost", "missing_persons")

        def ask(picture: str, *attributes: str) -> list[face_pb2.DetectedFace]:
            request = detection_pb2.DetectFacesRequest(
                image=image_pb2.Image(content=path(picture).read_bytes()),
                attributes=[f"FACE_ATTRIBUTE_{one}" for one in attributes],
            )
            answer = stub.DetectFaces(request, metadata=headers)
            width = answer.image_size.width
            return [
                face
                for face in answer.faces
                if (face.bounding_box.x_max - face.bounding_box.x_min) * width >= SMALL
                or picture.startswith("groups")
            ]

        yield ask


def files(pattern: str) -> list[str]:
    """The pictures of the test data that fit, by their names."""
    kinds = {".jpg", ".jpeg", ".png"}
    found = [one for one in sorted(DATA.glob(pattern)) if one.suffix in kinds]
    if not found:
        missing(f"no {pattern} in {DATA}; set BEHOLDEN_TEST_DATA")
    return [str(one.relative_to(DATA)) for one in found]


@pytest.mark.thorough
def test_every_known_person_is_told_as_they_present(ask: Ask) -> None:
    wrong, faces = [], 0
    for picture in files("faces/**/*"):
        told = [face.gender_presentation.type for face in ask(picture, "GENDER_PRESENTATION")[:2]]
        faces += len(told)
        women = told.count(face_pb2.GENDER_PRESENTATION_TYPE_FEMININE)
        if women != WOMEN.get(picture.removeprefix("faces/"), 0):
            wrong.append(picture)
    assert faces >= 28
    assert wrong == []


@pytest.mark.thorough
def test_few_real_faces_are_held_for_replayed_or_altered(ask: Ask) -> None:
    faces = [
        face
        for picture in files("groups/*.jpg")
        for face in ask(picture, "LIVENESS", "SPOOF_SCORE")
    ]
    assert len(faces) > 500
    assert sum(face.liveness < 0.5 for face in faces) / len(faces) < 0.04
    assert sum(face.spoof_score >= 0.5 for face in faces) / len(faces) < 0.08
