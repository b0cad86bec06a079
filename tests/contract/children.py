"""Processes of their own that tests let work, and kill."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def child(module: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """`python -m module arguments...`, killed at the end if it has not ended by then."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "services"), str(ROOT)])},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def kill_and_read(process: subprocess.Popen[str]) -> list[str]:
    """Kills it with SIGKILL and gives the whole lines that it had printed and nobody had read."""
    assert process.stdout is not None
    process.kill()
    return [line for line in process.stdout if line.endswith("\n")]


def files_may_grow_to(size: int) -> None:
    """As on a full disk: the interpreter ignores SIGXFSZ, so that longer writes fail with EFBIG."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
