"""`beholden up | down | status`: the services over real engines, each its own process on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from beholden.cli.commands.engines import HOME, Home
from beholden.cli.configured import settings
from beholden.cli.failures import ExitCode
from beholden.cli.output import table
from beholden.cli.session import Session, session
from beholden.cli.words import counted

if TYPE_CHECKING:
    from beholden.engines.stack import Progress, Row

Folder = Annotated[
    Path, typer.Option(envvar="BEHOLDEN_UP", help="Where data, logs and state of all this lie.")
]
FOLDER = Path("var/up")
_NOTHING = "nothing is up; `beholden up` starts it"
_STYLES = {"healthy": "green", "starting": "yellow", "sick": "red", "down": "red"}


def up(
    context: typer.Context,
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="ENGINE", help="Use its embedded twin instead; repeatable."),
    ] = None,
    expose_milvus: Annotated[
        bool,
        typer.Option(
            "--expose-milvus",
            help="Let Milvus listen on every interface, where no network namespace can be made.",
        ),
    ] = False,
    folder: Folder = FOLDER,
    home: Home = HOME,
) -> None:
    """Start the engines and the services, and go when they are healthy; what runs already is kept."""
    from beholden.engines.plan import Plan, write_endpoints
    from beholden.engines.stack import SERVICE, Stack

    here = session(context)
    plan = Plan(settings(), home, folder, without or (), expose_milvus)
    stack = Stack(folder)
    with _live(here) as progress:
        stack.up(plan.steps(), progress)
    rows = stack.rows()
    write_endpoints(folder, {row.name: row.address for row in rows if row.kind == SERVICE})
    _say(here, rows)
    here.output.note(
        f"logs are in {folder / 'logs'}; `beholden --server up ...` asks these services"
    )


def down(context: typer.Context, folder: Folder = FOLDER) -> None:
    """End what `beholden up` started, services first; their data stay."""
    from beholden.engines.stack import Stack

    here = session(context)
    with _live(here) as progress:
        ran = Stack(folder).down(progress)
    (folder / "endpoints.json").unlink(missing_ok=True)
    here.output.document({"ended": ran})
    here.output.show(f"ended {counted(len(ran), 'process', 'processes')}" if ran else _NOTHING)


def status(context: typer.Context, folder: Folder = FOLDER) -> None:
    """Show each process: whether it is healthy, for how long it has run, what it holds."""
    from beholden.engines.stack import Stack

    rows = Stack(folder).rows()
    _say(session(context), rows)
    if not rows or any(row.state != "healthy" for row in rows):
        raise typer.Exit(ExitCode.FAILED)


def _say(here: Session, rows: Sequence[Row]) -> None:
    here.output.document({"units": [asdict(row) for row in rows]})
    here.output.show(_table(rows) if rows else _NOTHING)


@contextmanager
def _live(here: Session) -> Iterator[Progress]:
    console = Console(highlight=False, stderr=True)
    if not (here.output.for_people and console.is_terminal):
        yield lambda _: None
        return
    with Live(console=console, transient=True) as live:
        yield lambda rows: live.update(_table(rows))


def _table(rows: Sequence[Row]) -> Table:
    shown = table("name", "", ">pid", "address", ">up for", ">memory")
    for row in rows:
        shown.add_row(
            row.name,
            f"[{_STYLES[row.state]}]{row.state}[/]",
            str(row.pid) if row.state != "down" else "",
            row.address,
            _duration(row.uptime) if row.uptime else "",
            f"{row.memory / 1e6:,.0f} MB" if row.memory else "",
        )
    return shown


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
