"""`beholden index`: enrols pictures, lists of pictures and ready templates, and sums up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beholden.cli import manifest
from beholden.cli.enrolling import Senders, enrol, sum_up
from beholden.cli.failures import Failure
from beholden.cli.manifest import Acquisition, Row
from beholden.cli.options import Collection
from beholden.cli.session import session


def index(  # noqa: PLR0917 - one for each option
    context: typer.Context,
    collection: Collection,
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATHS...",
            help="Pictures, folders of them, s3://bucket/...; .csv, .parquet and .npz lists.",
        ),
    ],
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
    skip_alike: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="COSINE",
            help="Leave out faces this close to one that is there; 0.995: saved anew.",
        ),
    ] = 0.0,
    model: Annotated[
        str, typer.Option(metavar="NAME@VERSION", help="The model that made the templates.")
    ] = "",
    resume: Annotated[
        Path | None, typer.Option(help="Note what is done here, and do not send it again.")
    ] = None,
) -> None:
    """Enrol faces from pictures or ready templates; run again, it enrols nothing twice."""
    here = session(context)
    come_by = acquisition.value if acquisition else ""
    default = Row(external_id, source, legal_basis, consent_id, acquisition=come_by)
    listings = manifest.listing(paths, default)
    if not listings:
        raise Failure(f"no pictures in {', '.join(paths)}", status="INVALID_ARGUMENT")
    senders = Senders(here, model, max_faces, every_face)
    tally = enrol(senders, collection, listings, skip_alike=skip_alike, resume=resume)
    sum_up(here, tally, collection)
    raise typer.Exit(tally.exit_code)
