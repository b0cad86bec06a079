"""What lies in a model repository, held against the catalogue and its own record; works offline."""

from __future__ import annotations

from pathlib import Path

from beholden.catalog.digests import digest_of
from beholden.catalog.entries import Catalog, ModelEntry
from beholden.catalog.layout import weights_path
from beholden.catalog.provenance import FILE, Provenance
from beholden.catalog.reports import State, VerifyReport
from beholden.core.errors import FailedPrecondition, InvalidArgument
from beholden.core.models import ModelSpec


def check(entry: ModelEntry, repository: Path) -> VerifyReport:
    """Hold what lies in `repository` for `entry` against its record, by checksum of every file."""
    folder = repository / entry.name
    record = Provenance.read(folder)

    def report(state: State, problem: str = "") -> VerifyReport:
        return VerifyReport(
            name=entry.name,
            role=entry.role,
            state=state,
            problem=problem,
            digest=record.files.get(weights_path(entry), "") if record else "",
            source=record.source if record else "",
            remedy="" if state is State.INTACT else f"beholden models pull {entry.name}",
        )

    if not folder.exists():
        return report(State.ABSENT, f"{repository} does not hold it")
    if record is None:
        return report(State.DAMAGED, f"{folder / FILE} is missing or unreadable")
    if not record.describes(entry):
        return report(State.OUTDATED, "the catalogue now has another version, converter or origin")
    for path in (weights_path(entry), *record.files):
        if digest_of(folder / path) != record.files.get(path):
            return report(State.DAMAGED, f"{folder / path} is missing or was changed since")
    return report(State.INTACT)


def verify(catalog: Catalog, repository: Path) -> list[VerifyReport]:
    """The state of every model of the catalogue in `repository`; nothing is fetched."""
    return [check(entry, repository) for entry in catalog.models]


def available(catalog: Catalog, repository: Path, role: str, chosen: str = "") -> ModelSpec | None:
    """The best candidate for `role` that lies in `repository` intact, or None: see `remedy`.

    Only the one called `chosen` will do where that is said. Every file of the candidates is read and
    hashed, so ask once, at start.

    Raises:
        InvalidArgument: no candidate is called `chosen`.
        FailedPrecondition: it does not lie there intact.
    """
    candidates = catalog.candidates(role)
    if chosen and chosen not in {entry.name for entry in candidates}:
        known = ", ".join(entry.name for entry in candidates)
        raise InvalidArgument(f"models.{role}", f"{chosen!r} is no {role}; there is {known}")
    for entry in candidates:
        report = check(entry, repository)
        if report.ok and chosen in ("", entry.name):
            return entry.spec(report.digest)
        if chosen == entry.name:
            raise FailedPrecondition(f"{chosen}: {report.problem}", remedy=f"run: {report.remedy}")
    return None


def remedy(catalog: Catalog, role: str) -> str:
    """What a person can do about a role that has no model: the command that pulls the best one."""
    candidates = catalog.candidates(role)
    if not candidates:
        return f"add a model with the role {role} to {catalog.root / 'catalog.yaml'}"
    return f"run: beholden models pull {candidates[0].name}"
