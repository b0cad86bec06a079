"""The whole Beholden over real engines, each service its own process, for tests and benchmarks."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from beholden.cli.routing import RoutedChannel
from beholden.engines.known import known
from beholden.engines.stack import Row, Stack
from tests.engines import HOME
from tests.house import BEHOLDEN, MODELS, headers
from tests.pictures import missing


@dataclass(frozen=True, slots=True)
class Real:
    """A running stack: its folder and the environment that its commands have."""

    folder: Path
    env: Mapping[str, str]

    def beholden(self, *arguments: str) -> None:
        """Runs a command; what it says is shown where it fails."""
        done = subprocess.run(
            [BEHOLDEN, *arguments],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def up(self) -> None:
        """Starts what does not run."""
        self.beholden("up")

    def rows(self) -> list[Row]:
        """Every process, engines first."""
        return Stack(self.folder / "up").rows()

    def channel(self) -> grpc.Channel:
        """A channel to all services."""
        places = json.loads((self.folder / "up" / "endpoints.json").read_text())
        return RoutedChannel(places)

    def headers(self, tenant: str, purpose: str = "", **who: object) -> list[tuple[str, str]]:
        """A call's metadata: a token of `tenant`, and the declared purpose."""
        return headers(self.folder / "identity.key", tenant, purpose, **who)


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder that PostgreSQL's own user may enter, for where this runs as root."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def stack(folder: Path, **settings: str) -> Iterator[Real]:
    """Up on entry, down at the end; skips where an engine is not installed."""
    absent = [engine.title for engine in known(HOME) if not engine.find()]
    if absent:
        missing(f"not installed: {', '.join(absent)}; run `make engines`")
    env = {
        **os.environ,
        "BEHOLDEN_UP": str(folder / "up"),
        "BEHOLDEN_ENGINES": str(HOME),
        "BEHOLDEN_MODEL_REPOSITORY": str(MODELS),
        "BEHOLDEN_GUARD__IDENTITY__KEY_FILE": str(folder / "identity.key"),
        **{f"BEHOLDEN_{name}": value for name, value in settings.items()},
    }
    real = Real(folder, env)
    try:
        real.up()
        yield real
    finally:
        real.beholden("down")
