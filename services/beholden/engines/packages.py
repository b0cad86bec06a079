"""Python packages in an environment of their own, exactly those whose hashes are listed."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from beholden.core.errors import FailedPrecondition

_DONE = ".installed"


def installed(folder: Path, requirements: Path) -> bool:
    """Whether `folder` is an environment of exactly these requirements, made to its end."""
    mark = folder / _DONE
    there = mark.is_file() and (folder / "bin" / "python").exists()
    return there and mark.read_text() == _digest(requirements)


def install(folder: Path, requirements: Path, python: str = sys.executable) -> None:
    """Makes `folder` a virtual environment of `python` with `requirements` and nothing else.

    Wheels only, so that no package's own code runs. Raises FailedPrecondition.
    """
    if installed(folder, requirements):
        return
    shutil.rmtree(folder, ignore_errors=True)
    run([python, "-m", "venv", str(folder)], f"no environment can be made in {folder}")
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:"]
    run(
        [*map(str, pip), "install", *options, "-r", str(requirements)],
        f"the packages of {requirements.name} cannot be had",
    )
    (folder / _DONE).write_text(_digest(requirements))


def run(argv: Sequence[str], problem: str, **options: object) -> str:
    """What the command prints. Raises FailedPrecondition: `problem`, and the command's last word on it."""
    try:
        done = subprocess.run(  # type: ignore[call-overload]
            argv, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options
        )
    except OSError as error:
        raise FailedPrecondition(f"{problem}: {argv[0]}: {error.strerror}") from error
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        errors = [line for line in said if "error" in line.lower()] or said or ["it said nothing"]
        raise FailedPrecondition(f"{problem}: {errors[-1].strip()}")
    return str(done.stdout)


def _digest(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes()).hexdigest()
