"""The real engines for tests: where they are, the one rule for when they are not, and running them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from beholden.engines import process
from beholden.engines.engine import Engine
from beholden.engines.known import known
from beholden.engines.unit import Unit, healthy
from tests.pictures import ROOT, missing

HOME = Path(os.environ.get("BEHOLDEN_ENGINES") or ROOT / ".engines")


def needs(name: str) -> Engine:
    """The engine; where it is not installed the test is skipped, or fails under CI=true."""
    engine = known(HOME, [name])[0]
    if engine.find() is None:
        missing(f"{engine.title} is not installed: run `make engines`")
    return engine


class Running:
    """A unit's process, to be killed and started again as a test likes."""

    def __init__(self, unit: Unit, log: Path) -> None:
        self.unit = unit
        self._log = log
        self.start()

    def start(self) -> None:
        """Healthy on return."""
        self.process = process.start(self.unit, self._log)
        end = time.monotonic() + self.unit.patience
        while not healthy(self.unit.health):
            assert process.alive(self.process), self._log.read_text(errors="replace")[-3000:]
            assert time.monotonic() < end, self._log.read_text(errors="replace")[-3000:]
            time.sleep(0.05)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        process.end({self.process: process.signal.SIGKILL}, 30)


@contextmanager
def running(unit: Unit, log: Path) -> Iterator[Running]:
    """Healthy on entry, ended at the end with everything that it started."""
    made = Running(unit, log)
    try:
        yield made
    finally:
        process.end({made.process: unit.stop}, 15)
