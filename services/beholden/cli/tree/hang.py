"""Puts a command into the tree, with its heading and its examples."""

from __future__ import annotations

from collections.abc import Callable

import typer

from beholden.cli.options import examples


def group(app: typer.Typer, name: str, about: str, panel: str) -> typer.Typer:
    """A group of commands under the heading `panel`."""
    made = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
    app.add_typer(made, name=name, help=about, rich_help_panel=panel)
    return made


def hang(
    app: typer.Typer,
    command: Callable[..., None],
    *lines: str,
    name: str | None = None,
    panel: str | None = None,
) -> None:
    """A command; `lines` are its examples, less the `beholden`."""
    app.command(name, epilog=examples(*lines), rich_help_panel=panel)(command)
