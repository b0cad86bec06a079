"""A server of its own on a free port, with everything that it writes in one folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from beholden.cli.configured import settings
from beholden.cli.failures import Failure
from beholden.cli.routing import UP

_STOPPING = 15.0


def environment(folder: Path, models: Path, *, real: bool) -> dict[str, str]:
    """The environment of a server that keeps to `folder`, and of commands that know its key."""
    others = {key: value for key, value in os.environ.items() if not key.startswith("BEHOLDEN_")}
    twins = {
        "BEHOLDEN_LISTEN": "127.0.0.1:0",
        "BEHOLDEN_STORE_URL": f"file:{folder / 'faces.db'}",
        "BEHOLDEN_LEDGER_URL": f"sqlite:///{folder / 'ledger.db'}",
    }
    engines = {
        "BEHOLDEN_UP": str(folder / "up"),
        "BEHOLDEN_ENGINES": os.environ.get("BEHOLDEN_ENGINES") or str(Path(".engines").absolute()),
    }
    return {
        **others,
        **(engines if real else twins),
        "BEHOLDEN_MODEL_REPOSITORY": str(models.absolute()),
        "BEHOLDEN_LEDGER__KEY_FILE": str(folder / "ledger.key"),
        "BEHOLDEN_GUARD__IDENTITY__KEY_FILE": str(folder / "identity.key"),
    }


@contextmanager
def stage(folder: Path, around: Mapping[str, str]) -> Iterator[str]:
    """Serves everything in the environment `around` until the block ends; gives the address.

    Raises:
        Failure: the server did not start; says what it said.
    """
    log = folder / "server.log"
    with log.open("wb") as errors:
        # A session of its own: Ctrl-C is ours, and the server is told to stop when we are done.
        server = subprocess.Popen(
            [sys.executable, "-m", "beholden.cli", "serve", "all", "--json"],
            env=dict(around),
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    try:
        assert server.stdout is not None
        said = server.stdout.readline()
        if not said:
            last = log.read_text("utf-8", "replace").strip().splitlines()[-5:]
            raise Failure("the server did not start", hint="\n".join(last))
        yield json.loads(said)["address"]
    finally:
        server.terminate()
        try:
            server.wait(_STOPPING)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def real_stage(folder: Path) -> Iterator[str]:
    """The services over the real engines, as `beholden up` starts them, until the block ends.

    Gives what `--server` calls them; commands find their ledger in the environment.

    Raises:
        FailedPrecondition: an engine is not installed, or does not become healthy.
    """
    from beholden.engines.plan import Plan, write_endpoints
    from beholden.engines.postgres import Postgres
    from beholden.engines.stack import SERVICE, Stack
    from beholden.engines.state import State

    folder.chmod(0o755)  # PostgreSQL may run as a user of its own, who has to come by
    place = folder / "up"
    stack = Stack(place)
    try:
        stack.up(Plan(settings(), Path(os.environ["BEHOLDEN_ENGINES"]), place).steps())
        services = {row.name: row.address for row in stack.rows() if row.kind == SERVICE}
        write_endpoints(place, services)
        os.environ["BEHOLDEN_LEDGER_URL"] = State(place).read()[Postgres.name].address
        yield UP
    finally:
        stack.down()
