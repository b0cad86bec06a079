"""What faces tell of themselves, next to what people see in them."""

from __future__ import annotations

from pathlib import Path

from beholden.v1 import detection_pb2, detection_pb2_grpc, face_pb2, image_pb2
from tests.bench.score import Score
from tests.house import House, law_of_emotions
from tests.known import AGES, SMALL, SMILES, WOMEN
from tests.pictures import DATA

_KINDS = {".jpg", ".jpeg", ".png"}
_TENANT, _KIND, _PURPOSE = "find-the-lost", "victim_search", "missing_persons"


def law(folder: Path) -> str:
    """The URL of a law under which the bench may ask for every attribute."""
    return law_of_emotions(folder, _PURPOSE, _KIND)


def scores(home: House) -> list[Score]:
    """Of a house with that law: ages, presentations, smiles, and real faces held for real."""
    with home.channel() as channel:
        stub = detection_pb2_grpc.DetectionServiceStub(channel)

        def ask(picture: Path, *attributes: face_pb2.FaceAttribute) -> list[face_pb2.DetectedFace]:
            """Largest first, without bystanders unless in a group."""
            request = detection_pb2.DetectFacesRequest(
                image=image_pb2.Image(content=picture.read_bytes()),
                attributes=attributes,
            )
            answer = stub.DetectFaces(request, metadata=home.headers(_TENANT, _PURPOSE))
            least = 0 if picture.parent == DATA / "groups" else SMALL / answer.image_size.width
            return [
                face for face in answer.faces
                if face.bounding_box.x_max - face.bounding_box.x_min >= least
            ]  # fmt: skip

        faces = DATA / "faces"
        aged = [
            (age, ask(faces / name, face_pb2.FACE_ATTRIBUTE_AGE_RANGE)[0].age_range)
            for name, age in AGES.items()
        ]
        known = [one for one in sorted(faces.rglob("*")) if one.suffix in _KINDS]
        seen = people = 0
        for picture in known:
            told = [
                face.gender_presentation.type
                for face in ask(picture, face_pb2.FACE_ATTRIBUTE_GENDER_PRESENTATION)[:2]
            ]
            women = told.count(face_pb2.GENDER_PRESENTATION_TYPE_FEMININE)
            odd = abs(women - WOMEN.get(str(picture.relative_to(faces)), 0))
            people, seen = people + len(told), seen + len(told) - odd
        smiling = [
            ask(faces / name, face_pb2.FACE_ATTRIBUTE_EMOTIONS)[0].emotions[0].type
            for name in SMILES
        ]
        asked = (face_pb2.FACE_ATTRIBUTE_LIVENESS, face_pb2.FACE_ATTRIBUTE_SPOOF_SCORE)
        real = [
            face
            for picture in sorted((DATA / "groups").glob("*.jpg"))
            for face in ask(picture, *asked)
        ]
    return [
        _of("ages in the range told", len(aged), sum(r.low <= age <= r.high for age, r in aged)),
        _of("faces told as they present", people, seen),
        _of("smiles told HAPPY first", len(smiling), smiling.count(face_pb2.EMOTION_TYPE_HAPPY)),
        _of("real faces told alive", len(real), sum(face.liveness >= 0.5 for face in real)),
        _of("real faces told unaltered", len(real), sum(face.spoof_score < 0.5 for face in real)),
    ]


def _of(what: str, there: int, right: int) -> Score:
    """Of each face something is told."""
    return Score(what, there, right, there, right)
