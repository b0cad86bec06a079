"""A whole server as a user starts it, and the command as a user types it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from beholden.cli import main
from tests import pictures
from tests.house import MODELS, house


@dataclass(frozen=True)
class Ended:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Stdout as one JSON document."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> Any:
        """The error on stderr, under --json."""
        return json.loads(self.err)["error"]


@dataclass(frozen=True)
class Shell:
    """A terminal beside a running server: `env` finds the server and its key, `folder` is its own."""

    address: str
    env: Mapping[str, str]
    folder: Path

    def run(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Ended:
        """Runs `beholden` with `arguments` in this process, which spares a second of imports."""
        out, err = io.StringIO(), io.StringIO()
        with (
            mock.patch.dict(os.environ, self.env if env is None else env, clear=True),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = main([str(argument) for argument in arguments])
        return Ended(code, out.getvalue(), err.getvalue())

    def spawn(self, *arguments: str | Path, **options: Any) -> Ended:
        """Runs `beholden` as a process of its own; `options` are subprocess.run's."""
        done = subprocess.run(
            command(*arguments),
            env=dict(self.env),
            capture_output=True,
            timeout=120,
            check=False,
            **options,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def command(*arguments: str | Path) -> list[str]:
    """The command line of a process."""
    return [sys.executable, "-m", "beholden.cli", *map(str, arguments)]


@pytest.fixture(scope="session")
def models() -> Path:
    """The model repository that `make setup` fills."""
    if not (MODELS / "centerface").is_dir():
        pictures.missing(f"no models in {MODELS}; run `make setup`")
    return MODELS


@pytest.fixture(scope="session")
def shell(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Beside `beholden serve all` over the embedded engines."""
    with house(tmp_path_factory.mktemp("house")) as running:
        env = {**running.env, "BEHOLDEN_SERVER": running.address, "COLUMNS": "100"}
        yield Shell(running.address, env, running.folder)


@pytest.fixture(scope="session")
def astronaut() -> Path:
    """NASA's portrait of Eileen Collins, which scikit-image ships: one clear face."""
    return pictures.path("astronaut")


@pytest.fixture(scope="session")
def scenery(astronaut: Path) -> Path:
    """A cup of coffee, which scikit-image ships: no face."""
    return astronaut.with_name("coffee.png")
