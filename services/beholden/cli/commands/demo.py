"""`beholden demo`: the whole story on real pictures."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

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
    real: Annotated[
        bool,
        typer.Option("--real", metavar="", help="Tell it over Triton, Milvus, OPA and PostgreSQL."),
    ] = False,
) -> None:
    """Tell the whole story on real pictures, with a server of its own that ends with it."""
    from beholden.cli.story.play import play

    console = Console(highlight=False)
    began = time.monotonic()
    with _folder(keep) as folder:
        went_wrong = play(console, folder, pictures, out.absolute(), real=real)
    console.rule(style="dim")
    kept = f" · the server's files in {folder}" if keep else ""
    seconds = time.monotonic() - began
    console.print(f"{seconds:.0f} s · pictures in {out}/{kept} · next: `beholden serve`")
    if went_wrong:
        raise typer.Exit(ExitCode.FAILED)


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="beholden-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)
