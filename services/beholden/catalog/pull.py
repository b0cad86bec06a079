"""Pull models: fetch, check, convert, and put each into the repository in one move, or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from beholden.catalog.convert import ConversionError, convert
from beholden.catalog.entries import PERMISSIVE, Catalog, ModelEntry
from beholden.catalog.layout import layout, weights_path
from beholden.catalog.provenance import Provenance
from beholden.catalog.reports import Outcome, Progress, PullReport, Stage, Step
from beholden.catalog.repository import check
from beholden.catalog.sources import NoSourceError, fetch

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
    """Pull one model, turning whatever is the model's own failure into its report."""
    if entry.licence not in PERMISSIVE and entry.licence not in accept:
        detail = f"its licence is {entry.licence}; accept it with --accept {entry.licence}"
        return PullReport(entry.name, entry.role, Outcome.REFUSED, detail=detail)
    around = layout(catalog, entry)
    record = Provenance.read(repository / entry.name)
    if (
        record is not None
        and check(entry, repository).ok
        and record.files == _digests({**around, weights_path(entry): b""})
    ):
        digest = record.files[weights_path(entry)]
        return PullReport(entry.name, entry.role, Outcome.INTACT, record.source, digest)
    raise NotImplementedError
