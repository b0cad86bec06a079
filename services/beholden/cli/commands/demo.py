"""`beholden demo`: the whole story on real pictures."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from beholden.cli.configured import settings
from beholden.cli.failures import ExitCode


def demo(
    pictures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Tell it on your pictures instead of NASA's astronaut."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where annotated pictures go.")] = Path(
        "out"
    ),
    keep: Annotated[
        bool, typer.Option("--keep", metavar="", help="Keep the server's files, to look into them.")
    ] = False,
) -> None:
    """Tell the whole story on real pictures, with a server of its own that ends with it."""
    from beholden.cli.story import props, scenes
    from beholden.cli.story.stage import environment, ledger, stage
    from beholden.cli.story.telling import Teller, forge

    console = Console(highlight=False)
    began = time.monotonic()
    off = _roles_off()
    with _folder(keep) as folder, ExitStack() as stack:
        hero, archive = props.own(pictures) if pictures else props.from_scikit_image(folder)
        at = scenes.Places(
            hero=hero,
            archive=archive,
            disguised=props.disguised(hero, folder / "disguised.jpg"),
            out=out,
            forged=folder / "forged.db",
        )
        around = environment(folder)
        # So that --as finds the key of this server, and nobody's own purpose gets into the story.
        os.environ.clear()
        os.environ.update(around)
        with console.status("starting a server with a ledger and galleries of its own"):
            address = stack.enter_context(stage(folder, around))
        teller = Teller(console, address, off)
        teller.tell(scenes.opening(at))
        forge(ledger(folder), at.forged)
        teller.tell(scenes.closing(at))
        console.rule(style="dim")
        kept = f" · the server's files: {folder}" if keep else ""
        console.print(
            f"{time.monotonic() - began:.0f} s · pictures in {out}/{kept} · next: `beholden serve`"
        )
    if teller.went_wrong:
        raise typer.Exit(ExitCode.FAILED)


def _roles_off() -> tuple[str, ...]:
    from beholden.catalog.entries import load_catalog
    from beholden.catalog.repository import available
    from beholden.core.models import FACE_DETECTOR, FACE_EMBEDDER, MODERATOR

    chosen = settings()
    catalog = load_catalog(chosen.catalog)
    return tuple(
        role
        for role in (FACE_DETECTOR, FACE_EMBEDDER, MODERATOR)
        if available(catalog, chosen.model_repository, role) is None
    )


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="beholden-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
