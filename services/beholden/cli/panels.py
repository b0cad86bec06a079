"""Refusals, failures and decisions as a person reads them: one panel that says what would help."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from beholden.cli.failures import ExitCode, Failure
from beholden.cli.words import clean, safe

_TITLES = {
    ExitCode.USAGE: "Wrong input",
    ExitCode.REFUSED: "Refused by policy",
    ExitCode.UNAUTHENTICATED: "Not signed in",
    ExitCode.UNAVAILABLE: "Not available",
}


def facts(rows: Iterable[tuple[str, str]]) -> Table:
    """Names and values in two columns; rows without a value are left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    for name, value in rows:
        if value:
            grid.add_row(safe(name), safe(value))
    return grid


def panel(title: str, style: str, *parts: RenderableType) -> Panel:
    """The house's panel."""
    return Panel(
        Group(*parts),
        title=f"[bold]{title}[/]",
        title_align="left",
        border_style=style,
        padding=(0, 1),
    )


def restriction(law: str, since: str, until: str, lifted_by: str) -> Table:
    """Which law, since when, until when, and what would lift it."""
    open_ended = "further notice" if law and since else ""
    return facts(
        [("law", law), ("since", since), ("until", until or open_ended), ("lifted by", lifted_by)]
    )


def failure_panel(failure: Failure) -> Panel:
    """Everything a person needs to act on a failure."""
    rows = list(failure.fields)
    if failure.retry_after:
        rows.append(("try again", f"in {failure.retry_after:g} s"))
    rows += [("decision", failure.decision_id), ("what helps", failure.hint)]
    parts: list[RenderableType] = []
    if not (failure.fields or failure.laws):
        parts.append(Text(clean(failure.message)))
    for _, message in failure.laws[:1]:
        parts.append(Text(clean(message)))
    if failure.exit_code is ExitCode.REFUSED:
        said = failure.details
        parts.append(
            restriction(*(said.get(key, "") for key in ("law", "since", "until", "lifted_by")))
        )
    for law, message in failure.laws[1:]:
        parts += [Text(clean(message)), facts([("law", law)])]
    parts.append(facts(rows))
    return panel(_TITLES.get(failure.exit_code, "That did not work"), "red", *parts)
