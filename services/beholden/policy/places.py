"""Where a law to be compared lies: a folder, or a revision of the folder in its git repository."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from beholden.core.errors import FailedPrecondition

_SECONDS = 60


@contextmanager
def policies_at(place: str, folder: Path) -> Iterator[Path]:
    """The policies folder at `place`: a folder's path, else what `folder` was at that git revision.

    Raises FailedPrecondition where it is neither.
    """
    if Path(place).is_dir():
        yield Path(place)
        return
    with tempfile.TemporaryDirectory(prefix="beholden-revision-") as name:
        _check_out(place, folder, Path(name))
        yield Path(name)


def _check_out(revision: str, folder: Path, to: Path) -> None:
    problem = f"{revision!r} is no folder, and no git revision of {folder}"
    top = Path(_git(folder, "rev-parse", "--show-toplevel", problem=problem).decode().strip())
    within = folder.resolve().relative_to(top.resolve()).as_posix()
    # What begins with a dash would be an option.
    tree = f"{revision}:{within}"
    packed = _git(top, "archive", "--format=tar", "--end-of-options", tree, problem=problem)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(to, filter="data")


def _git(folder: Path, *arguments: str, problem: str) -> bytes:
    try:
        run = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FailedPrecondition(f"{problem}: {error}") from error
    if run.returncode != 0:
        said = run.stderr.decode(errors="replace").strip().splitlines()
        raise FailedPrecondition(f"{problem}: {said[-1] if said else ''}")
    return run.stdout
