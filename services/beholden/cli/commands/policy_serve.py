"""`beholden policy serve`: the law for a fleet of OPAs, which wait for the next one."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from beholden.cli.configured import settings
from beholden.cli.failures import Failure
from beholden.cli.offline import failures
from beholden.cli.policies import Folder, chosen
from beholden.cli.session import session
from beholden.cli.words import safe

if TYPE_CHECKING:
    from beholden.policy.law import Law


def serve(
    context: typer.Context,
    policies: Folder = None,
    key: Annotated[
        Path | None,
        typer.Option(metavar="PEM", help="Sign with this private key: P-256 or RSA."),
    ] = None,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where OPA asks; port 0 takes a free one.")
    ] = "127.0.0.1:8182",
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write OPA's configuration here (JSON).")
    ] = None,
) -> None:
    """Serve the law to OPAs, signed, and each newer one within a second or two; until Ctrl-C.

    A law that is malformed, does not compile, or allows a call of which nothing is known is not served.
    """
    from beholden.policy.serving import BundleServer, keep_serving, opa_configuration
    from beholden.policy.signing import read_key

    here = session(context)
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise Failure(f"{listen} is no HOST:PORT", "INVALID_ARGUMENT")
    with failures():
        signing = read_key(key) if key else None
        try:
            server = BundleServer(host, int(port))
        except OSError as error:
            raise Failure(f"cannot listen on {listen}: {error.strerror}") from None
        if config is not None:
            config.write_text(json.dumps(opa_configuration(server.url, signing), indent=2))

        def told(law: Law) -> None:
            here.output.document({"revision": law.revision, "url": server.url})
            here.output.show(f"revision {safe(law.revision)} at {safe(server.url)}/law.tar.gz")

        with server, suppress(asyncio.CancelledError):
            every = settings().policy.watch or 1.0
            asyncio.run(_until_told(keep_serving(server, chosen(policies), signing, every, told)))


async def _until_told(work: Coroutine[Any, Any, NoReturn]) -> None:
    """Does the work until SIGINT or SIGTERM."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    await task
