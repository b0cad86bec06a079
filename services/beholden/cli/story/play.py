"""Puts the story on: pictures, a server, somebody to look for, and then scene after scene."""

from __future__ import annotations

import os
from contextlib import ExitStack, chdir
from pathlib import Path

from rich.console import Console

from beholden.catalog.entries import load_catalog
from beholden.catalog.repository import available
from beholden.cli.configured import settings
from beholden.cli.story import props, scenes
from beholden.cli.story.casting import hero
from beholden.cli.story.stage import environment, real_stage, stage
from beholden.cli.story.telling import Teller
from beholden.core.models import FACE_DETECTOR, FACE_EMBEDDER, MODERATOR
from beholden.runtime.settings import Settings


def play(
    console: Console, folder: Path, pictures: Path | None, out: Path, *, real: bool = False
) -> int:
    """How many commands ended otherwise than the story says.

    Everything is written under `folder` but annotated pictures, which go to `out`; `pictures` is a
    folder of the reader's own; `real` tells it over Triton, Milvus, OPA and PostgreSQL. The
    process's environment becomes that of the story.

    Raises:
        Failure: no pictures, nobody in them, or no server.
    """
    chosen = settings()
    off = _roles_off(chosen)
    photos = props.own(pictures) if pictures else props.from_scikit_image(folder)
    around = environment(folder, chosen.model_repository, real=real)
    # So that --as finds the key of this server, and nobody's own purpose gets into the story.
    os.environ.clear()
    os.environ.update(around)
    start = Path.cwd()
    with ExitStack() as stack:
        # What is not named above lies under var/ there, and short paths keep the commands readable.
        stack.enter_context(chdir(folder))
        with console.status("starting a server with a ledger and galleries of its own"):
            address = stack.enter_context(real_stage(folder) if real else stage(folder, around))
            found = hero(address, photos, look=FACE_DETECTOR not in off)
        props.disguised(found, Path("disguised.jpg"))
        at = scenes.Places(
            hero=_seen_from(folder, found),
            photos=_seen_from(folder, photos),
            disguised=Path("disguised.jpg"),
            out=out,
            export=Path("ledger.jsonl"),
        )
        teller = Teller(console, address, start, off)
        teller.tell(scenes.story(at))
    return teller.went_wrong


def _roles_off(chosen: Settings) -> tuple[str, ...]:
    catalog = load_catalog(chosen.catalog)
    return tuple(
        role
        for role in (FACE_DETECTOR, FACE_EMBEDDER, MODERATOR)
        if available(catalog, chosen.model_repository, role) is None
    )


def _seen_from(folder: Path, path: Path) -> Path:
    return path.relative_to(folder) if path.is_relative_to(folder) else path
