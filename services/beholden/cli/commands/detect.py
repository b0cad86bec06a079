"""`beholden detect`: the faces in a picture."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from beholden.cli import drawing, pictures
from beholden.cli.options import Draw, MinConfidence, Picture
from beholden.cli.output import as_document, table
from beholden.cli.session import session
from beholden.cli.words import counted, safe, score
from beholden.v1 import detection_pb2, detection_pb2_grpc


def detect(
    context: typer.Context,
    picture: Picture,
    min_confidence: MinConfidence = None,
    max_faces: Annotated[
        int, typer.Option(min=0, max=1000, help="The most faces, largest first; 0: 100.")
    ] = 0,
    draw: Draw = None,
) -> None:
    """Find the faces in a picture, without saying whose they are."""
    here = session(context)
    image = pictures.read(picture)
    stub = here.stub(detection_pb2_grpc.DetectionServiceStub)
    answer = here.client.call(
        stub.DetectFaces,
        detection_pb2.DetectFacesRequest(
            image=image, min_confidence=min_confidence, max_faces=max_faces
        ),
    )
    found = answer.message
    if draw:
        drawing.write(draw, image, drawing.faces(found.faces))
    here.output.document(as_document(found, decision_id=answer.decision_id))
    here.output.show(
        _faces(found),
        f"{counted(len(found.faces), 'face')} in {safe(picture)} · {found.model.name}"
        f"@{found.model.version}",
    )


def _faces(found: detection_pb2.DetectFacesResponse) -> Table:
    shown = table(
        "#", ">confidence", ">size", ">at", ">roll", ">yaw", ">pitch", ">bright", ">sharp"
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
        )
    return shown
