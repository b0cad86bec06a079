"""`beholden index`: enrols the faces of pictures and folders, and sums up."""

from __future__ import annotations

import hashlib
import re
import uuid
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from beholden.cli import many, pictures
from beholden.cli.failures import Failure
from beholden.cli.indexing import Result, Tally
from beholden.cli.options import Collection
from beholden.cli.output import as_document
from beholden.cli.session import Session, session
from beholden.cli.words import counted, safe
from beholden.v1 import collection_pb2, search_pb2, search_pb2_grpc

_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_.:-]+")
_REQUESTS = uuid.UUID("b0f7f3bc-4f0e-5d0c-9d0e-6f0d5f3f0a55")


class Acquisition(Enum):
    """How a picture may be come by, as the command line names it."""

    FROM_SUBJECT = "from-subject"
    TARGETED = "targeted"
    UNTARGETED = "untargeted"


def index(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    collection: Collection,
    paths: Annotated[list[Path], typer.Argument(help="Pictures, and folders of pictures.")],
    source: Annotated[str, typer.Option(help="Where the pictures come from.")] = "",
    legal_basis: Annotated[str, typer.Option(help="Why the faces may be kept.")] = "",
    consent_id: Annotated[str, typer.Option(help="The subject's consent.")] = "",
    acquisition: Annotated[
        Acquisition | None, typer.Option(help="How the pictures were come by.")
    ] = None,
    external_id: Annotated[
        str, typer.Option(help="Your own name for who is shown; the file's name if absent.")
    ] = "",
    max_faces: Annotated[
        int, typer.Option(min=0, max=100, help="The most faces a picture, largest first; 0: 100.")
    ] = 0,
    every_face: Annotated[
        bool, typer.Option("--every-face", help="Enrol small, dark, blurred and turned faces too.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Pictures at the same time.")] = 4,
) -> None:
    """Enrol the faces of pictures; run again, it enrols nothing twice."""
    here = session(context)
    files = pictures.find(paths)
    if not files:
        raise Failure(f"no pictures in {', '.join(map(str, paths))}", status="INVALID_ARGUMENT")
    stub = here.stub(search_pb2_grpc.SearchServiceStub)
    wanted = search_pb2.IndexFacesRequest(
        parent=f"collections/{collection}",
        max_faces=max_faces,
        quality_filter=search_pb2.QUALITY_FILTER_NONE
        if every_face
        else search_pb2.QUALITY_FILTER_AUTO,
        provenance=collection_pb2.Provenance(
            source=source,
            legal_basis=legal_basis,
            consent_id=consent_id,
            acquisition=f"ACQUISITION_{acquisition.name}" if acquisition else None,
        ),
    )

    def enrol(file: Path) -> Result:
        try:
            return here.client.call(stub.IndexFaces, _request(wanted, file, external_id))
        except Failure as failure:
            return failure

    with here.output.progress(rate=True) as bar:
        task = bar.add_task(f"indexing {safe(collection)}", total=len(files))

        def tell(file: Path, result: Result) -> None:
            bar.advance(task)
            here.output.document(_line(file, result))

        tally = Tally(len(files))
        many.run(files, enrol, jobs, tell, tally)
    _sum_up(here, tally, collection)
    raise typer.Exit(tally.exit_code)


def _request(
    wanted: search_pb2.IndexFacesRequest, file: Path, external_id: str
) -> search_pb2.IndexFacesRequest:
    request = search_pb2.IndexFacesRequest()
    request.CopyFrom(wanted)
    request.image.CopyFrom(pictures.read(file))
    request.external_image_id = external_id or _NOT_IN_IDS.sub("_", file.stem)[:255]
    # The same for the same picture and name, so that a second run enrols nothing twice.
    digest = hashlib.sha256(request.image.content).hexdigest()
    request.request_id = str(uuid.uuid5(_REQUESTS, f"{request.external_image_id}/{digest}"))
    return request


def _line(file: Path, result: Result) -> dict[str, object]:
    said = (
        result.document()
        if isinstance(result, Failure)
        else as_document(result.message, decision_id=result.decision_id)
    )
    return {"file": str(file), **said}


def _sum_up(here: Session, tally: Tally, collection: str) -> None:
    here.output.document(
        {
            "summary": {
                "pictures": tally.pictures,
                "of": tally.total,
                "faces": tally.faces,
                "faceless": tally.faceless,
                "left_out": dict(tally.left_out),
                "failed": len(tally.failed),
                "interrupted": tally.interrupted,
            }
        }
    )
    if tally.failed and not tally.ended_by:
        here.output.show(tally.failures())
    if tally.interrupted:
        here.output.show("[yellow]interrupted[/]: run it again to go on; nothing is enrolled twice")
    left_out = ", ".join(
        f"{count} {reason.lower().replace('_', ' ')}" for reason, count in tally.left_out.items()
    )
    here.output.show(
        f"[bold]{counted(tally.faces, 'face')}[/] in {safe(collection)} from "
        f"{tally.pictures - len(tally.failed)} of {counted(tally.total, 'picture')}"
        + (f" · {tally.faceless} without a face" if tally.faceless else "")
        + (f" · left out: {left_out}" if left_out else "")
        + (f" · [red]{len(tally.failed)} failed[/]" if tally.failed else "")
    )
    if tally.ended_by:
        here.output.failure(tally.ended_by)
