"""`beholden evaluate`: holds the models that are pulled against pictures whose people are known."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from beholden.cli import pictures
from beholden.cli.configured import settings
from beholden.cli.failures import Failure
from beholden.cli.output import table
from beholden.cli.session import session
from beholden.cli.words import counted

if TYPE_CHECKING:
    from beholden.runtime.evaluation import Compared

_FARS = (0.01, 0.001)
_SIMILARITIES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
_CURVE_POINTS = 200


def models(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A folder with a folder of pictures per person.")],
    model: Annotated[
        list[str] | None, typer.Option(help="Only this embedder; all that are pulled if absent.")
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(help="Photographs of many people: those in one photograph are strangers."),
    ] = None,
    every_face: Annotated[
        bool, typer.Option("--every-face", help="Small, dark, blurred and turned faces too.")
    ] = False,
) -> None:
    """Compare the face embedders on your own pictures: equal error rate, TAR at FAR, DET curve."""
    from beholden.runtime.evaluation import Pictures, compare, embedders

    here = session(context)
    chosen = settings()
    people = {
        person.name: files
        for person in sorted(_folders(folder))
        if (files := pictures.find([person]))
    }
    crowds = pictures.find([groups]) if groups else []
    _check(folder, people)
    with here.output.progress(rate=True) as bar:
        found = embedders(chosen, model or ())
        wanted = Pictures(people, crowds)
        task = bar.add_task("comparing", total=len(crowds) + sum(map(len, people.values())))
        compared, seen = asyncio.run(
            compare(
                chosen, found, wanted, every_face=every_face, progress=lambda: bar.advance(task)
            )
        )
    if not (len(compared[0].genuine) and len(compared[0].impostor)):
        raise Failure(
            f"too few usable faces in {folder}",
            "INVALID_ARGUMENT",
            hint="two pictures of one person and one of another are the least; --every-face takes all",
        )
    documents = [_document(one) for one in compared]
    for document in documents:
        here.output.document(document)
    here.output.show(_summary(documents), "", _by_similarity(documents))
    first = documents[0]
    here.output.show(
        f"{counted(seen.faces, 'face')} of {counted(len(people), 'person', 'people')}: "
        f"{first['genuine_pairs']} pairs of one person, {first['impostor_pairs']} of two"
        + (f", {first['stranger_pairs']} of strangers in one photograph" if crowds else "")
        + (f" · {len(seen.left_out)} pictures without a usable face" if seen.left_out else "")
        + (f" · [red]{len(seen.unreadable)} no pictures[/]" if seen.unreadable else "")
    )


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise Failure(f"{folder} is no folder", "INVALID_ARGUMENT")
    return [inside for inside in folder.iterdir() if inside.is_dir()]


def _check(folder: Path, people: dict[str, list[Path]]) -> None:
    if len(people) < 2 or all(len(files) < 2 for files in people.values()):
        raise Failure(
            f"{folder} has no labelled pictures",
            "INVALID_ARGUMENT",
            hint="one folder a person, its name theirs; at least two people, one of them pictured twice",
        )


def _document(one: Compared) -> dict[str, Any]:
    from beholden.vision import verification
    from beholden.vision.templates import cosine_for

    points = verification.curve(one.genuine, one.impostor)
    equal = verification.equal_error(points)
    scale = one.model.parameters
    rows = []
    for similarity in _SIMILARITIES:
        cosine = cosine_for(similarity, scale["similarity_midpoint"], scale["similarity_slope"])
        at = verification.errors_at(one.genuine, one.impostor, cosine)
        strangers = float((one.strangers >= cosine).mean()) if len(one.strangers) else None
        rows.append({"similarity": similarity, **asdict(at), "strangers_fmr": strangers})
    return {
        "model": one.model.id,
        "genuine_pairs": len(one.genuine),
        "impostor_pairs": len(one.impostor),
        "stranger_pairs": len(one.strangers),
        "eer": (equal.fmr + equal.fnmr) / 2,
        "eer_cosine": equal.threshold,
        "tar_at_far": {
            str(far): verification.true_accepts(points, far, len(one.impostor)) for far in _FARS
        },
        "at_similarity": rows,
        "det": [asdict(point) for point in verification.thinned(points, _CURVE_POINTS)],
    }


def _summary(documents: Sequence[dict[str, Any]]) -> Table:
    shown = table("model", ">EER", ">at cosine", *(f">TAR at FAR {far:.1%}" for far in _FARS))
    for said in documents:
        tars = [
            "too few pairs" if tar is None else f"{tar:.3f}" for tar in said["tar_at_far"].values()
        ]
        shown.add_row(said["model"], f"{said['eer']:.4f}", f"{said['eer_cosine']:.3f}", *tars)
    return shown


def _by_similarity(documents: Sequence[dict[str, Any]]) -> Table:
    shown = table("model", ">similarity", ">cosine", ">FNMR", ">FMR", ">FMR, one photograph")
    for said in documents:
        for row in said["at_similarity"]:
            strangers = row["strangers_fmr"]
            shown.add_row(
                said["model"],
                f"{row['similarity']:.2f}",
                f"{row['threshold']:.3f}",
                f"{row['fnmr']:.3f}",
                f"{row['fmr']:.4f}",
                "" if strangers is None else f"{strangers:.4f}",
            )
    return shown
