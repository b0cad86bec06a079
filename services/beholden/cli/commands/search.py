"""`beholden search`: who in a collection is like a face."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from beholden.cli import drawing, explained, pictures
from beholden.cli.commands.reviews import pending_note
from beholden.cli.options import Collection, Draw, MinSimilarity
from beholden.cli.output import as_document, table
from beholden.cli.session import Session, session
from beholden.cli.words import counted, safe, score
from beholden.client.answers import Answer
from beholden.v1 import search_pb2, search_pb2_grpc

Found = Answer[search_pb2.SearchFacesResponse] | Answer[search_pb2.SearchFacesByImageResponse]


def search(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    collection: Collection,
    picture: Annotated[
        Path | None,
        typer.Argument(help="A JPEG or PNG file whose largest face is searched; - reads stdin."),
    ] = None,
    face: Annotated[str, typer.Option("--face", help="Search with this enrolled face.")] = "",
    max_results: Annotated[
        int, typer.Option("--max", min=0, max=1000, help="The most candidates; 0: 10.")
    ] = 0,
    min_similarity: MinSimilarity = None,
    good_probe: explained.GoodProbe = False,
    draw: Draw = None,
) -> None:
    """Find the faces of a collection that are like the one in PICTURE, or like an enrolled one."""
    if (picture is None) == (not face):
        raise typer.BadParameter("give either PICTURE or --face", param_hint="PICTURE")
    if draw and picture is None:
        raise typer.BadParameter("there is no picture to draw on", param_hint="--draw")
    here = session(context)
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    parent = f"collections/{collection}"
    answer: Found
    if picture is None:
        answer = here.client.call(
            stub.SearchFaces,
            search_pb2.SearchFacesRequest(
                name=f"{parent}/faces/{face}",
                max_results=max_results,
                min_similarity=min_similarity,
            ),
        )
    else:
        image = pictures.read(picture)
        request = search_pb2.SearchFacesByImageRequest(
            parent=parent,
            image=image,
            max_results=max_results,
            min_similarity=min_similarity,
            quality_filter=explained.quality_filter(good_probe),
        )
        answer = here.client.call(stub.SearchFacesByImage, request)
        if draw:
            drawing.write(draw, image, drawing.candidates(answer.message))
    _show(here, answer, f"like {safe(picture or face)} in {safe(collection)}")


def _show(here: Session, answer: Found, about: str) -> None:
    found = answer.message
    here.output.document(as_document(found, decision_id=answer.decision_id))
    if found.review:
        here.output.show(pending_note(found.review, f"{found.model.name}@{found.model.version}"))
        return
    here.output.show(
        _candidates(found.candidates) if found.candidates else "nobody",
        f"{counted(len(found.candidates), 'face')} {about} · {found.model.name}@{found.model.version}",
        *explained.notes(found.explanation),
    )


def _candidates(found: Iterable[search_pb2.Candidate]) -> Table:
    shown = table(">similarity", ">margin", "external id", "=face", "source")
    for candidate in found:
        face = candidate.face
        shown.add_row(
            f"[bold]{score(candidate.similarity)}[/]",
            explained.margin(candidate),
            safe(face.external_image_id),
            face.name.rpartition("/")[2],
            safe(face.provenance.source),
        )
    return shown
