"""`beholden migrate`: moves every gallery from one store to another, and proves it by count."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from beholden.cli.configured import settings
from beholden.cli.failures import Failure
from beholden.cli.output import table
from beholden.cli.session import Session, session
from beholden.cli.words import counted, safe

if TYPE_CHECKING:
    from beholden.core.ports import FaceStore
    from beholden.runtime.settings import Settings


def migrate(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="FROM_URL", help="file:PATH or http://HOST:PORT")
    ],
    target: Annotated[str, typer.Argument(metavar="TO_URL", help="the same forms")],
) -> None:
    """Copy every collection of every tenant into another store; run again, it goes on where it was.

    Nothing is deleted, and whoever runs this sees all tenants: it is the operator's. Stop the server
    first, so that nobody writes to the old store meanwhile.
    """
    here = session(context)
    if source == target:
        raise Failure("both are the same store", "INVALID_ARGUMENT")
    asyncio.run(_migrate(here, settings(), source, target))
    here.output.note(f"serve it with BEHOLDEN_STORE_URL={target}")


async def _migrate(here: Session, chosen: Settings, source: str, target: str) -> None:
    from beholden.store.open import open_store

    old = await open_store(source, chosen.store)
    try:
        new = await open_store(target, chosen.store)
        try:
            with here.output.progress(rate=True) as bar:
                await _move(here, old, new, bar)
        finally:
            await new.close()
    finally:
        await old.close()


async def _move(here: Session, old: FaceStore, new: FaceStore, bar: Progress) -> None:
    from beholden.search import moving

    origins = [one async for one in moving.every_collection(old)]
    total = sum([await old.count_faces(one.tenant, one.id) for one in origins])
    task = bar.add_task("copying", total=total)
    shown = table("tenant", "collection", ">faces", ">there already", ">people")
    faces = 0
    for origin in origins:
        bar.update(task, description=f"copying {safe(origin.tenant)}/{safe(origin.id)}")
        moved = await moving.copy(old, new, origin, origin, lambda count: bar.advance(task, count))
        faces += moved.faces
        here.output.document(
            {
                "tenant": origin.tenant,
                "collection": origin.id,
                "faces": moved.faces,
                "there_already": moved.there,
                "people": moved.people,
            }
        )
        counts = (moved.faces, moved.there, moved.people)
        shown.add_row(safe(origin.tenant), safe(origin.id), *(f"{count:,}" for count in counts))
    here.output.show(shown if origins else "no collections")
    here.output.show(
        f"[bold]{counted(faces, 'face')}[/] in {counted(len(origins), 'collection')}, counted in both"
    )
