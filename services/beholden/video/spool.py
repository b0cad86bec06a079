"""The folder where uploads wait, each under its job's id."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

from beholden.video.features import Spec

_OLD = 7 * 24 * 3600.0
_MOST = 10_000


def upload(spool: Path, job: str) -> Path:
    """Where the upload of a job waits."""
    return spool / f"{job}.video"


def discard(spec: Spec) -> None:
    """Deletes an upload; a file in the operator's folder stays."""
    if spec.upload:
        Path(spec.path).unlink(missing_ok=True)


def uploads(spool: Path) -> Mapping[str, tuple[Path, bool]]:
    """What waits, by job, and whether for a week: then another installation's should be done, too."""
    found: dict[str, tuple[Path, bool]] = {}
    for path in islice(spool.glob(upload(Path(), "*").name), _MOST):
        with suppress(OSError):
            found[path.stem] = path, path.stat().st_mtime < time.time() - _OLD
    return found


def remove(paths: Iterable[Path]) -> None:
    """Deletes what is there and may be deleted."""
    for path in paths:
        with suppress(OSError):
            path.unlink()
