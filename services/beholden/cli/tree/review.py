"""Commands of those who look at answers before anybody gets them."""

from __future__ import annotations

import typer

from beholden.cli.commands import reviews
from beholden.cli.tree.hang import group, hang

_PANEL = "Ask the law"


def review(app: typer.Typer) -> None:
    """Hangs them in."""
    under = group(
        app, "reviews", "Answers that people must look at before anybody gets them.", _PANEL
    )
    hang(
        under,
        reviews.show_all,
        "reviews list --pending --as daily-herald --role reviewer",
        name="list",
    )
    hang(
        under,
        reviews.show,
        "reviews show 019a5d0c-8a3e-7cc1-9d0e-3b1f0c9d2e11 --token-file reviewer.jwt",
    )
    hang(
        under,
        reviews.confirm,
        "reviews confirm 019a5d0c-8a3e-7cc1-9d0e-3b1f0c9d2e11 --reason 'same scar'",
        "reviews confirm 019a5d0c-8a3e-7cc1-9d0e-3b1f0c9d2e11 --candidate 2 --reason 'same scar'",
    )
    hang(
        under,
        reviews.reject,
        "reviews reject 019a5d0c-8a3e-7cc1-9d0e-3b1f0c9d2e11 --reason 'nobody like that'",
    )
