"""`beholden ledger notices`: whom the law wanted told of which decision, and whether they were."""

from __future__ import annotations

from typing import Annotated

import typer

from beholden.cli import offline
from beholden.cli.options import Place
from beholden.cli.output import table
from beholden.cli.session import session
from beholden.cli.words import at, safe


def notices(
    context: typer.Context,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only those that were not delivered yet.")
    ] = False,
    most: Annotated[int, typer.Option("--max", min=1, help="The most notices.")] = 20,
    ledger: Place = "",
) -> None:
    """List the notices in the ledger's database, newest first."""
    if ledger and "://" not in ledger:
        raise typer.BadParameter("an export holds no notices", param_hint="--ledger")
    here = session(context)
    with offline.archive(ledger) as archive:
        found = archive.notices(waiting_only=waiting, most=most)
    shown = table("=decision", "=at", "action", "told", "delivered")
    for notice in found:
        told = notice.body
        here.output.document(
            {
                "id": notice.id,
                "attempts": notice.attempts,
                "problem": notice.problem,
                "delivered": at(notice.delivered_ns / 1e9) if notice.delivered_ns else "",
                "body": told,
            }
        )
        names = told["to"]
        assert isinstance(names, list)
        shown.add_row(
            safe(told["decision"]),
            at(notice.created_ns / 1e9),
            safe(told["action"]),
            safe(", ".join(map(str, names))),
            f"[green]{at(notice.delivered_ns / 1e9)}[/]"
            if notice.delivered_ns
            else f"[red]waiting[/] {safe(notice.problem)}",
        )
    here.output.show(shown if shown.row_count else "no notices")
