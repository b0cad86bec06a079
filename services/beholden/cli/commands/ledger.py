"""`beholden ledger`: what was decided, and whether the account of it was touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from beholden.cli.failures import ExitCode
from beholden.cli.output import as_document, table
from beholden.cli.panels import facts
from beholden.cli.session import Session, session
from beholden.cli.words import counted, safe, when
from beholden.v1 import governance_pb2, governance_pb2_grpc

Ledger = Annotated[
    str,
    typer.Option("--ledger", metavar="URL", help="Read this ledger itself, without a server."),
]


def verify(context: typer.Context, ledger: Ledger = "") -> None:
    """Read the whole ledger and say whether its chain holds; exit code 1 where it does not."""
    here = session(context)
    if ledger:
        from beholden.cli import offline

        found, decision_id = offline.verify(ledger), ""
    else:
        stub = here.stub(governance_pb2_grpc.GovernanceServiceStub)
        answer = here.client.call(stub.VerifyLedger, governance_pb2.VerifyLedgerRequest())
        found, decision_id = answer.message, answer.decision_id
    here.output.document(as_document(found, decision_id=decision_id))
    here.output.show(verification(found))
    if not found.holds:
        raise typer.Exit(ExitCode.FAILED)


def show_all(
    context: typer.Context,
    denied: Annotated[bool, typer.Option("--denied", help="Refusals only.")] = False,
    most: Annotated[int, typer.Option("--max", min=1, help="The most records.")] = 20,
    ledger: Ledger = "",
) -> None:
    """List the tenant's decisions, newest first."""
    here = session(context)
    request = governance_pb2.ListDecisionsRequest(page_size=min(most, 1000), denied_only=denied)
    shown = table("decision", "at", "who", "action", "", ">entry")
    for record in islice(_records(_pages(here, ledger, request)), most):
        here.output.document(as_document(record))
        said = "[green]allowed[/]" if record.allowed else "[red]refused[/]"
        shown.add_row(
            record.decision_id,
            when(record.time),
            safe(record.principal),
            record.action,
            said if record.kind == "decision" else f"[dim]{record.kind}[/]",
            str(record.sequence),
        )
    here.output.show(shown if shown.row_count else "no decisions")


def verification(found: governance_pb2.VerifyLedgerResponse) -> RenderableType:
    """What a verification found, as a person reads it."""
    entries = counted(found.entry_count, "entry", "entries")
    if found.holds:
        return Group(
            f"[bold green]The chain holds[/]: {entries}, each as it was written",
            f"[dim]head {safe(found.head)}[/]",
        )
    places = counted(len(found.breaches), "place")
    return Group(
        f"[bold red]The chain is broken[/] in {places} of {entries}",
        facts((f"entry {breach.sequence}", breach.problem) for breach in found.breaches),
    )


def _pages(
    here: Session, ledger: str, request: governance_pb2.ListDecisionsRequest
) -> Iterator[governance_pb2.ListDecisionsResponse]:
    if not ledger:
        stub = here.stub(governance_pb2_grpc.GovernanceServiceStub)
        yield from here.client.pages(stub.ListDecisions, request)
        return
    if not here.options.tenant:
        raise typer.BadParameter("say whose decisions", param_hint="--as")
    from beholden.cli import offline

    while True:
        page = offline.page(ledger, here.options.tenant, request)
        yield page
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


def _records(
    pages: Iterable[governance_pb2.ListDecisionsResponse],
) -> Iterator[governance_pb2.LedgerRecord]:
    for page in pages:
        yield from page.records
