"""Pull models: fetch, check, convert, and put each into the repository in one move, or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
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
    with _alone_in(repository, progress):
        for candidates in wanted:
            for entry in candidates:
                reports.append(_pull_one(catalog, entry, repository, mirror, accept, progress))
                if reports[-1].ok:
                    break
    return reports


def _pull_one(
    catalog: Catalog,
    entry: ModelEntry,
    repository: Path,
    mirror: Path | None,
    accept: Collection[str],
    progress: Progress,
) -> PullReport:
    """Pull one model; a failure that is the model's own becomes its report."""
    if entry.licence not in PERMISSIVE and entry.licence not in accept:
        detail = f"its licence is {entry.licence}, which has to be accepted by name"
        return PullReport(entry.name, entry.role, Outcome.REFUSED, detail=detail)

    folder, weights = repository / entry.name, weights_path(entry)
    around = layout(catalog, entry)
    record = Provenance.read(folder) if check(entry, repository).ok else None
    if record and record.files == _digests({**around}) | {weights: record.files[weights]}:
        return PullReport(
            entry.name, entry.role, Outcome.INTACT, record.source, record.files[weights]
        )

    with tempfile.TemporaryDirectory(dir=repository, prefix=_STAGING) as name:
        staging = Path(name)
        if record:  # the weights are good, only what stands around them has changed
            source, origin = record.source, record.origin
            onnx = (folder / weights).read_bytes()
        else:
            try:
                fetched = fetch(entry, staging, mirror, progress)
                progress(Step(entry.name, Stage.CONVERT, entry.converter, 0, 1))
                onnx = convert(entry, fetched.paths)
            except NoSourceError as error:
                return PullReport(
                    entry.name,
                    entry.role,
                    Outcome.FAILED,
                    detail=str(error),
                    attempts=error.attempts,
                )
            except ConversionError as error:
                return PullReport(
                    entry.name, entry.role, Outcome.FAILED, fetched.source, detail=str(error)
                )
            source, origin = fetched.source, fetched.origin
        files = {**around, weights: onnx}
        record = Provenance(
            name=entry.name,
            version=entry.version,
            licence=entry.licence,
            source=source,
            converter=entry.converter,
            origin=origin,
            files=_digests(files),
        )
        progress(Step(entry.name, Stage.LAY_OUT, str(folder), 0, 1))
        _place(folder, files, record, staging)
        progress(Step(entry.name, Stage.LAY_OUT, str(folder), 1, 1))
    return PullReport(entry.name, entry.role, Outcome.PULLED, source, record.files[weights])


def _digests(files: dict[str, bytes]) -> dict[str, str]:
    return {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}


def _place(folder: Path, files: dict[str, bytes], record: Provenance, staging: Path) -> None:
    """Write the whole model aside, then move it to `folder`, replacing what was there."""
    complete = staging / "complete"
    for path, content in files.items():
        target = complete / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    record.write(complete)
    replaced = staging / "replaced"
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
