"""A server of its own on a free port, with everything that it writes in one folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from beholden.cli.failures import Failure

_STOPPING = 15.0


def environment(folder: Path, models: Path) -> dict[str, str]:
    """The environment of a server that keeps to `folder`, and of commands that know its key."""
    others = {key: value for key, value in os.environ.items() if not key.startswith("BEHOLDEN_")}
    return {
        **others,
        "BEHOLDEN_LISTEN": "127.0.0.1:0",
        "BEHOLDEN_MODEL_REPOSITORY": str(models.absolute()),
        "BEHOLDEN_STORE_URL": f"file:{folder / 'faces.db'}",
        "BEHOLDEN_LEDGER_URL": f"sqlite:///{ledger(folder)}",
        "BEHOLDEN_LEDGER__KEY_FILE": str(folder / "ledger.key"),
        "BEHOLDEN_GUARD__IDENTITY__KEY_FILE": str(folder / "identity.key"),
    }


def ledger(folder: Path) -> Path:
    """The ledger of a server that keeps to `folder`."""
    return folder / "ledger.db"


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
