"""`beholden detect`: the faces in a picture."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer
from rich.table import Table

from beholden.cli import drawing, pictures
from beholden.cli.options import Draw, MinConfidence, Picture
from beholden.cli.output import as_document, table
from beholden.cli.session import session
from beholden.cli.words import counted, safe, score
from beholden.v1 import detection_pb2, detection_pb2_grpc, face_pb2


class Attribute(Enum):
    """What may be asked of a face, as a person types it."""

    ALL = "all"
    AGE_RANGE = "age-range"
    GENDER_PRESENTATION = "gender-presentation"
    EMOTIONS = "emotions"
    LIVENESS = "liveness"
    SPOOF_SCORE = "spoof-score"


def detect(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    picture: Picture,
    min_confidence: MinConfidence = None,
    max_faces: Annotated[
        int, typer.Option(min=0, max=1000, help="The most faces, largest first; 0: 100.")
    ] = 0,
    attributes: Annotated[
        list[Attribute] | None,
        typer.Option(help="What each face is asked beside; may be given several times."),
    ] = None,
    draw: Draw = None,
) -> None:
    """Find the faces in a picture, without saying whose they are."""
    here = session(context)
    image = pictures.read(picture)
    stub = here.stub(detection_pb2_grpc.DetectionServiceStub)
    answer = here.client.call(
        stub.DetectFaces,
        detection_pb2.DetectFacesRequest(
            image=image,
            min_confidence=min_confidence,
            max_faces=max_faces,
            attributes=[f"FACE_ATTRIBUTE_{one.name}" for one in attributes or ()],
        ),
    )
    found = answer.message
    if draw:
        drawing.write(draw, image, drawing.faces(found.faces))
    here.output.document(as_document(found, decision_id=answer.decision_id))
    models = [f"{one.name}@{one.version}" for one in (found.model, *found.attribute_models)]
    here.output.show(
        _faces(found),
        f"{counted(len(found.faces), 'face')} in {safe(picture)} · {', '.join(models)}",
    )


def _faces(found: detection_pb2.DetectFacesResponse) -> Table:
    told = [_told(face) for face in found.faces]
    asked = [name for name in told[0] if any(one[name] for one in told)] if told else []
    shown = table(
        "#", ">confidence", ">size", ">at", ">roll", ">yaw", ">pitch", ">bright", ">sharp", *asked
    )
    width, height = found.image_size.width, found.image_size.height
    for number, face in enumerate(found.faces, 1):
        box = face.bounding_box
        shown.add_row(
            str(number),
            score(face.confidence, 2),
            f"{(box.x_max - box.x_min) * width:.0f} x {(box.y_max - box.y_min) * height:.0f}",
            f"{box.x_min * width:.0f}, {box.y_min * height:.0f}",
            f"{face.pose.roll:+.0f}°",
            f"{face.pose.yaw:+.0f}°",
            f"{face.pose.pitch:+.0f}°",
            f"{face.quality.brightness:.2f}",
            f"{face.quality.sharpness:.2f}",
            *(told[number - 1][name] for name in asked),
        )
    return shown


def _told(face: face_pb2.DetectedFace) -> dict[str, str]:
    """What was told of a face, by column; empty where it was not."""
    ages, presents = face.age_range, face.gender_presentation
    kind = face_pb2.GenderPresentationType.Name(presents.type).rpartition("_")[2].lower()
    return {
        "age": f"{ages.low} to {ages.high}" if face.HasField("age_range") else "",
        "presents": f"{kind} {score(presents.confidence, 2)}"
        if face.HasField("gender_presentation")
        else "",
        "shows": ", ".join(
            f"{face_pb2.EmotionType.Name(one.type).rpartition('_')[2].lower()} "
            f"{score(one.confidence, 2)}"
            for one in face.emotions[:1]
        ),
        ">live": score(face.liveness, 2) if face.HasField("liveness") else "",
        ">spoof": score(face.spoof_score, 2) if face.HasField("spoof_score") else "",
    }
