"""The real engines for tests: where they are, the one rule for when they are not, and running them."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from beholden.engines import process
from beholden.engines.known import known
from beholden.engines.unit import Unit, healthy
from tests.pictures import ROOT, missing

HOME = Path(os.environ.get("BEHOLDEN_ENGINES") or ROOT / ".engines")

_servers = ExitStack()


def needs(name: str) -> Any:
    """The engine; where it is not installed the test is skipped, or fails under CI=true."""
    engine = known(HOME, [name])[0]
    if engine.find() is None:
        missing(f"{engine.title} is not installed: run `make engines`")
    return engine


def offered(name: str) -> bool:
    """Whether the engine has rows in contract tests: where it is installed, or has to be."""
    return os.environ.get("CI") == "true" or known(HOME, [name])[0].find() is not None


@cache
def server(name: str) -> str:
    """The address of the tests' own Milvus or PostgreSQL, started once, when first asked for.

    BEHOLDEN_TEST_MILVUS or BEHOLDEN_TEST_POSTGRES may name another that runs already.
    """
    if given := os.environ.get(f"BEHOLDEN_TEST_{name.upper()}"):
        return given
    engine = needs(name)
    folder = Path(_servers.enter_context(tempfile.TemporaryDirectory(prefix=f"beholden-{name}-")))
    # PostgreSQL runs as another user than root, who has to be able to come by.
    folder.chmod(0o755)
    unit = engine.unit(folder / name, 0)
    if name == "postgres":
        # What is written outlives the server all the same, if not the machine.
        unit = replace(unit, argv=[*unit.argv, "-c", "fsync=off"])
    return _servers.enter_context(running(unit, folder / "log")).unit.address


def until_the_end(made: AbstractContextManager[str]) -> str:
    """Enters `made`, and leaves it before the servers are ended."""
    return _servers.enter_context(made)


def close() -> None:
    """Ends every `server`."""
    _servers.close()
    server.cache_clear()


class Running:
    """A unit's process, to be killed and started again as a test likes."""

    def __init__(self, unit: Unit, log: Path) -> None:
        self.unit = unit
        self._log = log
        self.start()

    def start(self) -> None:
        """Healthy on return. Milvus 2.3, once in a long while, dies as it starts: it gets a second try."""
        for tries_left in (1, 0) if self.unit.name == "milvus" else (0,):
            self.process = process.start(self.unit, self._log)
            end = time.monotonic() + self.unit.patience
            while process.alive(self.process):
                if healthy(self.unit.health):
                    return
                assert time.monotonic() < end, self._log.read_text(errors="replace")[-3000:]
                time.sleep(0.05)
            assert tries_left, self._log.read_text(errors="replace")[-3000:]

    def kill(self) -> None:
        """Ends it as a power cut would."""
        process.end({self.process: signal.SIGKILL}, 30)


@contextmanager
def running(unit: Unit, log: Path) -> Iterator[Running]:
    """Healthy on entry, ended at the end with everything that it started."""
    made = Running(unit, log)
    try:
        yield made
    finally:
        process.end({made.process: unit.stop}, 5)
        process.sweep(unit.leaves)
