"""`beholden models`: pulls, lists and verifies the models that this machine serves."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, TaskID
from rich.table import Table

from beholden.cli.configured import settings
from beholden.cli.failures import ExitCode
from beholden.cli.output import table
from beholden.cli.session import session

if TYPE_CHECKING:
    from beholden.catalog.reports import PullReport, Step, VerifyReport

Repository = Annotated[
    Path | None,
    typer.Option(help="Where the models lie; BEHOLDEN_MODEL_REPOSITORY or var/models if absent."),
]
_STYLES = {
    **dict.fromkeys(("pulled", "intact"), "green"),
    **dict.fromkeys(("refused", "absent", "outdated"), "yellow"),
    **dict.fromkeys(("failed", "damaged"), "red"),
}


def pull(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="Models by name; the best of each role if absent.")
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept", metavar="LICENCE", help="Accept this licence, by SPDX identifier."
        ),
    ] = None,
    mirror: Annotated[
        Path | None,
        typer.Option(help="A folder to look in first; BEHOLDEN_MODEL_MIRROR if absent."),
    ] = None,
    repository: Repository = None,
) -> None:
    """Fetch models, check them by SHA-256, convert them, and lay them out for the server."""
    from beholden.catalog.entries import load_catalog
    from beholden.catalog.pull import pull as pull_models

    here = session(context)
    chosen = settings(model_repository=repository, model_mirror=mirror)
    catalog = load_catalog(chosen.catalog)
    with here.output.progress(size=True) as bar:
        reports = pull_models(
            catalog,
            names or None,
            chosen.model_repository,
            mirror=chosen.model_mirror,
            accept=accept or (),
            progress=_Follow(bar),
        )
    for report in reports:
        here.output.document({**asdict(report), "ok": report.ok})
    here.output.show(_pulled(reports))
    # A licence that nobody has accepted is no failure of a pull that did not name the model.
    served = {report.role for report in reports if report.ok or report.outcome == "refused"}
    if any(report.role not in served or (names and not report.ok) for report in reports):
        raise typer.Exit(ExitCode.FAILED)


def show_all(context: typer.Context, repository: Repository = None) -> None:
    """List the catalogue: each model's role, licence, and whether it is here."""
    from beholden.catalog.entries import load_catalog
    from beholden.catalog.repository import verify as verify_models

    here = session(context)
    chosen = settings(model_repository=repository)
    catalog = load_catalog(chosen.catalog)
    reports = verify_models(catalog, chosen.model_repository)
    shown = table("model", "role", "licence", "here")
    for report in reports:
        entry = catalog.model(report.name)
        said = entry.model_dump(include={"licence", "description", "training_data", "measured"})
        here.output.document({**asdict(report), **said})
        shown.add_row(entry.name, entry.role, entry.licence, _styled(report.state))
    here.output.show(shown)


def verify(
    context: typer.Context,
    complete: Annotated[
        bool,
        typer.Option(
            "--complete",
            metavar="",
            help="Fail too where a role has none of the permissive models.",
        ),
    ] = False,
    repository: Repository = None,
) -> None:
    """Check every file of the models that are here; exit code 1 when one was changed."""
    from beholden.catalog.entries import PERMISSIVE, load_catalog
    from beholden.catalog.repository import verify as verify_models

    here = session(context)
    chosen = settings(model_repository=repository)
    catalog = load_catalog(chosen.catalog)
    reports = verify_models(catalog, chosen.model_repository)
    for report in reports:
        here.output.document({**asdict(report), "ok": report.ok})
    here.output.show(_verified(reports))
    served = {report.role for report in reports if report.ok}
    wanted = {entry.role for entry in catalog.models if entry.licence in PERMISSIVE}
    if (complete and not wanted <= served) or any(
        report.state in {"damaged", "outdated"} for report in reports
    ):
        raise typer.Exit(ExitCode.FAILED)


class _Follow:
    """Shows a pull's steps as one bar a model."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, step: Step) -> None:
        if step.model not in self._tasks:
            self._tasks[step.model] = self._bar.add_task(step.model, total=None)
        task = self._tasks[step.model]
        self._bar.update(task, description=f"{step.model}  {step.stage} {step.detail}")
        if step.stage == "fetch":
            self._bar.update(task, completed=step.done, total=step.total)


def _pulled(reports: list[PullReport]) -> Table:
    shown = table("model", "role", "", "from")
    for report in reports:
        said = [report.source or report.detail]
        if not report.ok:
            said += [f"{attempt.source}: {attempt.problem}" for attempt in report.attempts]
        shown.add_row(
            report.name, report.role, _styled(report.outcome), "\n".join(filter(None, said))
        )
    return shown


def _verified(reports: list[VerifyReport]) -> Table:
    shown = table("model", "role", "here", "SHA-256", "what helps")
    for report in reports:
        shown.add_row(
            report.name,
            report.role,
            _styled(report.state),
            report.digest[:12],
            "" if report.ok else f"{report.problem}: {report.remedy}",
        )
    return shown


def _styled(state: str) -> str:
    return f"[{_STYLES[state]}]{state}[/]"
