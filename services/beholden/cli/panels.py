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
    # A name may be a whole path: what is said of it has room all the same, and nothing is cut off.
    grid.add_column(style="dim", overflow="fold", max_width=40)
    grid.add_column(overflow="fold")
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


def restriction(law: str, since: str, until: str, lifted_by: str) -> list[tuple[str, str]]:
    """Which law, since when, until when, and what would lift it."""
    return [
        ("law", law),
        ("since", since),
        ("until", until or ("further notice" if since else "")),
        ("lifted by", lifted_by),
    ]


def headline(message: str, since: str) -> Text:
    """A refusal's sentence, up to the dates and exemptions that `restriction` tells in rows."""
    return Text(clean(message.partition(f", since {since}")[0] if since else message))


def failure_panel(failure: Failure) -> Panel:
    """Everything a person needs to act on a failure."""
    said = failure.details
    first, *others = failure.laws or (("", failure.message),)
    parts: list[RenderableType] = []
    if not failure.fields:
        parts.append(headline(first[1], said.get("since", "")))
    rows = list(failure.fields)
    if failure.exit_code is ExitCode.REFUSED:
        rows += restriction(*(said.get(key, "") for key in ("law", "since", "until", "lifted_by")))
        rows += [(f"and {law}", message) for law, message in others]
    if failure.retry_after:
        rows.append(("try again", f"in {failure.retry_after:g} s"))
    rows += [("decision", failure.decision_id), ("what helps", failure.hint)]
    parts.append(facts(rows))
    return panel(_TITLES.get(failure.exit_code, "That did not work"), "red", *parts)
