"""`beholden engines`: installs and lists the real engines that `beholden up` starts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from beholden.cli.failures import ExitCode
from beholden.cli.output import table
from beholden.cli.session import session
from beholden.core.errors import FailedPrecondition

if TYPE_CHECKING:
    from beholden.engines.engine import Engine, Found

Home = Annotated[
    Path, typer.Option(envvar="BEHOLDEN_ENGINES", help="The folder that engines are installed in.")
]
HOME = Path(".engines")


def install(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="triton, milvus, opa, postgres; all of them if absent."),
    ] = None,
    home: Home = HOME,
) -> None:
    """Install engines under the project, pinned; exit code 1 when one cannot be had here."""
    from beholden.engines.known import installing, known

    here = session(context)
    shown = table("engine", "", "version", "where")
    missing = False
    with installing(home):
        for engine in known(home, names or ()):
            try:
                if (found := engine.find()) is None:
                    here.output.note(f"installing {engine.title} {engine.pinned}, once")
                    found = engine.install()
            except FailedPrecondition as error:
                missing = True
                here.output.document(_document(engine, None, error.message))
                shown.add_row(engine.title, "[red]no[/]", engine.pinned, escape(error.message))
                continue
            here.output.document(_document(engine, found))
            shown.add_row(engine.title, "[green]here[/]", found.version, _place(found))
    here.output.show(shown)
    if missing:
        here.output.note("each has an embedded twin: beholden up --without NAME")
        raise typer.Exit(ExitCode.FAILED)


def show_all(context: typer.Context, home: Home = HOME) -> None:
    """List the engines: which are here, and what stands in for one that is not."""
    from beholden.engines.known import known

    here = session(context)
    shown = table("engine", "name", "", "version", "embedded twin", "where")
    for engine in known(home):
        found = engine.find()
        here.output.document(_document(engine, found))
        shown.add_row(
            engine.title,
            engine.name,
            "[green]here[/]" if found else "[yellow]no[/]",
            found.version if found else f"({engine.pinned})",
            engine.twin,
            _place(found) if found else f"beholden engines install {engine.name}",
        )
    here.output.show(shown)


def _place(found: Found) -> str:
    here = Path.cwd()
    return str(found.path.relative_to(here) if found.path.is_relative_to(here) else found.path)


def _document(engine: Engine, found: Found | None, detail: str = "") -> dict[str, Any]:
    return {
        "name": engine.name,
        "title": engine.title,
        "pinned": engine.pinned,
        "twin": engine.twin,
        "here": found is not None,
        "version": found.version if found else "",
        "path": str(found.path) if found else "",
        "detail": detail,
    }
