"""A package from the npm registry that npm is set up for; no script of it is run."""

from __future__ import annotations

import shutil
from pathlib import Path

from beholden.catalog.entries import PackageSource
from beholden.catalog.sources.client import run_client
from beholden.catalog.sources.receive import Advance, SourceError


def download(source: PackageSource, into: Path, advance: Advance) -> Path:
    """Download the package's tarball into a folder of `into` with `npm pack`; where it lies.

    Raises:
        SourceError: npm is not there or fails.
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
    return archives[0]
