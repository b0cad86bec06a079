"""Run a package registry's own client, so that the operator's proxies and indexes are honoured."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from beholden.catalog.sources.receive import Advance, SourceError

LIMIT_S = 1800
"""A client that has not finished after half an hour is stopped."""

_COMPLAINT_LENGTH = 300

_ERROR = re.compile(r"(?:ERROR:|npm error|npm ERR!) (?!code |syscall |errno )(?P<what>.+)")
"""An error line of pip or npm, without npm's own error numbers."""

_CREDENTIALS = re.compile(r"//[^/@\s]+@")

_UNREACHED = "after connection broken by"
"""pip warns of each try that failed, and then says that there is no such version."""


def run_client(
    command: Sequence[str], workdir: Path, environment: Mapping[str, str], advance: Advance
) -> None:
    """Run `command` in `workdir`, reporting how the folder grows as progress.

    Raises:
        SourceError: it cannot start, fails or takes too long; says what it complained of.
    """
    log = workdir / "client.log"
    deadline = time.monotonic() + LIMIT_S
    seen = 0
    with log.open("wb") as complaints:
        try:
            process = subprocess.Popen(
                command,
                cwd=workdir,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                start_new_session=True,
            )
        except OSError as error:
            raise SourceError(f"{command[0]} cannot be started: {error.strerror}") from error
        try:
            while process.poll() is None:
                if time.monotonic() > deadline:
                    raise SourceError(f"{command[0]} took longer than {LIMIT_S} s")
                try:
                    process.wait(0.2)
                except subprocess.TimeoutExpired:
                    size = _size(workdir)
                    advance(max(0, size - seen))
                    seen = max(seen, size)
        finally:
            if process.poll() is None:
                # Clients start build tools of their own: the session goes, not just its leader.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if process.returncode != 0:
        raise SourceError(_complaint(log) or f"{command[0]} ended with {process.returncode}")


def _size(folder: Path) -> int:
    """The bytes in a folder that is being written to."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(place) / name).stat().st_size
            except OSError:
                continue  # a temporary file that went away meanwhile
    return total


def _complaint(log: Path) -> str:
    """What the client's log says went wrong: its first telling error line, else its last line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    if any(_UNREACHED in line for line in lines):
        return "the package index cannot be reached"
    errors = [error["what"] for line in lines if (error := _ERROR.match(line))]
    telling = errors[0] if errors else lines[-1] if lines else ""
    return _CREDENTIALS.sub("//", telling)[:_COMPLAINT_LENGTH]
