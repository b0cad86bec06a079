"""`beholden version`: what is installed."""

from __future__ import annotations

import platform
from importlib.metadata import version as installed

import typer

from beholden.cli.session import session


def version(context: typer.Context) -> None:
    """Show the version."""
    here = session(context)
    found = {"beholden": installed("beholden"), "python": platform.python_version()}
    here.output.document(found)
    here.output.show(f"beholden {found['beholden']} · Python {found['python']}")
