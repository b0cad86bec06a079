"""`beholden compare`: whether the faces of two pictures are alike."""

from __future__ import annotations

import typer
from rich.table import Table

from beholden.cli import drawing, pictures
from beholden.cli.commands.reviews import pending_note
from beholden.cli.options import Draw, MinSimilarity, Picture
from beholden.cli.output import as_document, table
from beholden.cli.session import session
from beholden.cli.words import safe, score
from beholden.v1 import embedding_pb2, embedding_pb2_grpc, face_pb2


def compare(
    context: typer.Context,
    source: Picture,
    target: Picture,
    min_similarity: MinSimilarity = None,
    draw: Draw = None,
) -> None:
    """Compare the largest face of SOURCE with every face of TARGET."""
    here = session(context)
    image = pictures.read(target)
    stub = here.stub(embedding_pb2_grpc.EmbeddingServiceStub)
    answer = here.client.call(
        stub.CompareFaces,
        embedding_pb2.CompareFacesRequest(
            source=pictures.read(source), target=image, min_similarity=min_similarity
        ),
    )
    found = answer.message
    if draw:
        drawing.write(draw, image, drawing.matches(found))
    here.output.document(as_document(found, decision_id=answer.decision_id))
    if found.review:
        here.output.show(pending_note(found.review, f"{found.model.name}@{found.model.version}"))
        return
    here.output.show(
        _targets(found),
        f"{len(found.matches)} of {len(found.matches) + len(found.unmatched_faces)} faces in "
        f"{safe(target)} are like the one in {safe(source)} · {found.model.name}@{found.model.version}",
    )


def _targets(found: embedding_pb2.CompareFacesResponse) -> Table:
    shown = table("", ">similarity", ">confidence", ">left", ">top")
    for match in found.matches:
        shown.add_row("[green]alike[/]", score(match.similarity), *_place(match.face))
    for face in found.unmatched_faces:
        shown.add_row("[dim]not alike[/]", "", *_place(face))
    return shown


def _place(face: face_pb2.DetectedFace) -> tuple[str, str, str]:
    box = face.bounding_box
    return score(face.confidence, 2), f"{box.x_min:.0%}", f"{box.y_min:.0%}"
