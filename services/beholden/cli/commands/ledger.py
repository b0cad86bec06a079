"""`beholden ledger`: what was decided, and whether the account of it was touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated

import typer
from rich.console import Group, RenderableType

from beholden.cli.failures import ExitCode
from beholden.cli.options import Keys
from beholden.cli.output import as_document, table
from beholden.cli.panels import facts
from beholden.cli.session import Session, session
from beholden.cli.words import counted, safe
from beholden.v1 import governance_pb2, governance_pb2_grpc

Ledger = Annotated[
    str,
    typer.Option(
        "--ledger", metavar="PLACE", help="Read this URL or export itself, without a server."
    ),
]


def verify(
    context: typer.Context,
    ledger: Ledger = "",
    key: Keys = None,
    known: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N:HASH",
            help="A checkpoint seen before, which must still be there; repeatable.",
        ),
    ] = None,
) -> None:
    """Read the whole ledger and say whether it holds; exit code 1 where it does not.

    Edited, removed, reordered and forged records show, and so does a tail cut off behind the newest
    checkpoint. With --known even a ledger that was rolled back as a whole shows.
    """
    here = session(context)
    remembered = dict(map(_checkpoint, known or ()))
    if ledger:
        from beholden.cli import offline

        with offline.progress(here.output, "verifying") as progress:
            found = offline.verify(ledger, key or (), remembered, progress)
        decision_id = ""
    else:
        if key or known:
            raise typer.BadParameter("name the ledger", param_hint="--ledger")
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
    shown = table("=decision", "=at", "action", "", "who")
    for record in islice(_records(_pages(here, ledger, request)), most):
        here.output.document(as_document(record))
        said = "[green]allowed[/]" if record.allowed else "[red]refused[/]"
        shown.add_row(
            record.decision_id,
            f"{record.time.ToDatetime():%m-%d %H:%M:%S}",
            record.action,
            said if record.kind == "decision" else f"[dim]{record.kind}[/]",
            safe(record.principal),
        )
    here.output.show(shown if shown.row_count else "no decisions")


def verification(found: governance_pb2.VerifyLedgerResponse) -> RenderableType:
    """What a verification found, as a person reads it."""
    entries = counted(found.entry_count, "entry", "entries")
    if found.holds:
        return Group(
            f"[bold green]The chain holds[/]: {entries}, each as it was written",
            f"[dim]{safe(_signed(found))}[/]",
            f"[dim]head {safe(found.head)}[/]",
        )
    places = counted(len(found.breaches), "place")
    return Group(
        f"[bold red]The chain is broken[/] in {places} of {entries}",
        facts((_where(breach), breach.problem) for breach in found.breaches),
    )


def _signed(found: governance_pb2.VerifyLedgerResponse) -> str:
    if not found.checkpoint_count:
        return "no checkpoint is signed yet"
    signed = counted(found.covered_entry_count, "entry", "entries")
    return (
        f"checkpoint {found.checkpoint_count}:{found.checkpoint} signs for {signed} since the first"
    )


def _where(breach: governance_pb2.LedgerBreach) -> str:
    if breach.writer == "checkpoints":
        return f"checkpoint {breach.sequence}"
    return f"entry {breach.sequence}"


def _checkpoint(text: str) -> tuple[int, str]:
    number, _, digest = text.partition(":")
    if not (number.isascii() and number.isdigit() and len(digest) == 64):
        raise typer.BadParameter("must be a checkpoint's number and hash", param_hint="--known")
    return int(number), digest


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
