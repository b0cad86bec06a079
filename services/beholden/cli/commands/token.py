"""`beholden token`: mints a token with the development key."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from beholden.cli import identity
from beholden.cli.session import session
from beholden.cli.words import at


def token(
    context: typer.Context,
    principal: Annotated[
        str, typer.Option(help="Who calls; your name on this machine if absent.")
    ] = "",
    lifetime: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="How long the token is good for.")
    ] = 3600,
) -> None:
    """Mint a token for --as TENANT, for other clients: grpcurl, Python, a colleague."""
    here = session(context)
    if not here.options.tenant:
        raise typer.BadParameter("say for which tenant", param_hint="--as")
    minted = identity.mint(here.options.tenant, principal, here.options.roles, lifetime=lifetime)
    expires = at(time.time() + lifetime)
    here.output.document({"token": minted, "tenant": here.options.tenant, "expires": expires})
    here.output.line(minted)
    here.output.note(f"for {here.options.tenant}, until {expires}")
