"""A package from the npm registry that npm is set up for; no script of it is run."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from beholden.catalog.entries import PackageSource, PinnedFile
from beholden.catalog.sources.archive import extract
from beholden.catalog.sources.client import run_client
from beholden.catalog.sources.receive import Advance, SourceError


def obtain(source: PackageSource, pins: Sequence[PinnedFile], into: Path, advance: Advance) -> None:
    """Download the package's pinned tarball with `npm pack` and take the files out.

    Raises:
        SourceError: npm is not there or fails, or the package is not what the catalogue pins.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise SourceError("npm is not on PATH")
    work = into / "npm"
    work.mkdir()
    command = [npm, "pack", f"{source.package}@{source.version}", "--ignore-scripts"]
    command += ["--loglevel=error", "--no-update-notifier", "--pack-destination=."]
    run_client(command, work, {}, advance)
    archives = list(work.glob("*.tgz"))
    if len(archives) != 1:
        raise SourceError(f"npm left {len(archives)} archives where one was expected")
    extract(archives[0], source, pins, into, lambda _: None)
