"""The command tree: which commands there are, under which heading, with which examples."""

from __future__ import annotations

import typer

from beholden.cli.tree.find import keep_and_find
from beholden.cli.tree.law import ask_the_law
from beholden.cli.tree.look import look
from beholden.cli.tree.review import review
from beholden.cli.tree.run import run


def grow(app: typer.Typer) -> None:
    """Hangs every command into `app`, heading by heading."""
    look(app)
    keep_and_find(app)
    ask_the_law(app)
    review(app)
    run(app)
