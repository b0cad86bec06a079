"""`beholden serve`: runs services in this process until it is told to stop."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from beholden.cli.configured import settings
from beholden.cli.session import session


def serve(
    context: typer.Context,
    services: Annotated[
        list[str] | None,
        typer.Argument(
            help="detection, embedding, search, moderation, governance, video; all if absent."
        ),
    ] = None,
    listen: Annotated[
        str, typer.Option(help="host:port; BEHOLDEN_LISTEN or 127.0.0.1:50051 if absent.")
    ] = "",
) -> None:
    """Serve until Ctrl-C or SIGTERM, then let calls in progress end."""
    from beholden.runtime.needs import SERVICES
    from beholden.runtime.server import serve as run

    here = session(context)
    names = services if services and "all" not in services else SERVICES

    def ready(address: str) -> None:
        here.output.document({"address": address, "services": list(names)})
        here.output.show(f"serving at [bold]{address}[/]: {', '.join(names)}; Ctrl-C stops it")

    asyncio.run(run(settings(listen=listen), names, ready))
