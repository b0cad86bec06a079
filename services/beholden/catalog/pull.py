"""Pull models: fetch, check, convert, and put each into the repository in one move, or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from beholden.catalog.convert.converters import convert
from beholden.catalog.convert.graph import ConversionError
from beholden.catalog.entries import PERMISSIVE, Catalog, ModelEntry
from beholden.catalog.fetch import NoSourceError, fetch
from beholden.catalog.layout import layout, weights_path
from beholden.catalog.provenance import Provenance
from beholden.catalog.reports import Outcome, Progress, PullReport, Stage, Step
from beholden.catalog.repository import check

_STAGING = ".pull-"


def pull(
    catalog: Catalog,
    names: Sequence[str] | None,
    repository: Path,
    *,
    mirror: Path | None = None,
    accept: Collection[str] = (),
    progress: Progress = lambda _: None,
) -> list[PullReport]:
    """Lay out the models `names` in `repository`; None: for each role the best one obtainable.

    What lies there intact is left alone. `accept` names the licences, by SPDX identifier, that the
    operator accepts beside the permissive ones. One model's failure does not stop the others: it
    is in its report, and whatever lay in the repository before still does. Pulls into the same
    repository wait for each other.

    Raises:
        InvalidArgument: a name is not in the catalogue; nothing was pulled.
        OSError: the repository cannot be written.
    """
    wanted = (
        [catalog.candidates(role) for role in catalog.roles]
        if names is None
        else [(catalog.model(name),) for name in dict.fromkeys(names)]
    )
    reports: list[PullReport] = []
    with (
        _alone_in(repository, progress),
        tempfile.TemporaryDirectory(dir=repository, prefix=_STAGING) as archives,
    ):
        puller = _Puller(catalog, repository, mirror, accept, progress, Path(archives))
        for candidates in wanted:
            for entry in candidates:
                reports.append(puller.pull(entry))
                if reports[-1].ok:
                    break
    return reports


@dataclass(frozen=True, slots=True)
class _Puller:
    """Pulls one model after the other, with what the caller of `pull` gave."""

    catalog: Catalog
    repository: Path
    mirror: Path | None
    accept: Collection[str]
    progress: Progress
    archives: Path

    def pull(self, entry: ModelEntry) -> PullReport:
        """Pull one model; a failure that is the model's own becomes its report."""
        report = PullReport(entry.name, entry.role, Outcome.FAILED)
        if entry.licence not in PERMISSIVE and entry.licence not in self.accept:
            detail = f"its licence is {entry.licence}, which has to be accepted by name"
            return replace(report, outcome=Outcome.REFUSED, detail=detail)
        with tempfile.TemporaryDirectory(dir=self.repository, prefix=_STAGING) as staging:
            try:
                outcome, record = self._lay_out(entry, Path(staging))
            except NoSourceError as error:
                return replace(report, detail=str(error), attempts=error.attempts)
            except ConversionError as error:
                return replace(report, detail=str(error))
        digest = record.files[weights_path(entry)]
        return replace(report, outcome=outcome, source=record.source, digest=digest)

    def _lay_out(self, entry: ModelEntry, staging: Path) -> tuple[Outcome, Provenance]:
        """Do what is needed for the model to lie in the repository as the catalogue says."""
        folder, weights = self.repository / entry.name, weights_path(entry)
        around = layout(self.catalog, entry)
        record = Provenance.read(folder) if check(entry, self.repository).ok else None
        if record is None:
            record, onnx = self._make(entry, staging)
        elif record.files == {**_digests(around), weights: record.files[weights]}:
            return Outcome.INTACT, record
        else:  # the weights are good, only what stands around them has changed
            onnx = (folder / weights).read_bytes()
        files = {**around, weights: onnx}
        record = record.model_copy(update={"files": _digests(files)})
        _place(folder, files, record, staging)
        return Outcome.PULLED, record

    def _make(self, entry: ModelEntry, staging: Path) -> tuple[Provenance, bytes]:
        """Fetch and convert: the ONNX file, and what is to be recorded of where it came from."""
        fetched = fetch(entry, staging, self.mirror, self.progress, self.archives)
        step = Step(entry.name, Stage.CONVERT, entry.converter, 0, 1)
        self.progress(step)
        onnx = convert(entry, fetched.paths)
        self.progress(replace(step, done=1))
        record = Provenance(
            name=entry.name,
            version=entry.version,
            licence=entry.licence,
            source=fetched.source,
            converter=entry.converter,
            origin=fetched.origin,
            files={},
        )
        return record, onnx


def _digests(files: Mapping[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}


def _place(folder: Path, files: Mapping[str, bytes], record: Provenance, staging: Path) -> None:
    """Write the whole model aside, then move it to `folder`, replacing what was there."""
    complete, replaced = staging / "complete", staging / "replaced"
    for path, content in files.items():
        target = complete / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    record.write(complete)
    if folder.exists():
        folder.rename(replaced)
    try:
        complete.rename(folder)
    except OSError:
        if replaced.exists():
            replaced.rename(folder)
        raise


@contextmanager
def _alone_in(repository: Path, progress: Progress) -> Iterator[None]:
    """Hold the repository's lock, and clear away what a killed pull left behind."""
    repository.mkdir(parents=True, exist_ok=True)
    with (repository / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(Step("", Stage.WAIT, f"another pull is at work in {repository}"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in repository.glob(f"{_STAGING}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
