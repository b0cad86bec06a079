"""`beholden ledger key | prove | check-proof`: what convinces somebody who has not the ledger."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group

from beholden.cli import offline
from beholden.cli.configured import settings
from beholden.cli.failures import ExitCode, Failure
from beholden.cli.options import Keys, Place
from beholden.cli.panels import facts
from beholden.cli.session import session
from beholden.cli.words import at, counted, safe

_MOST_PROOF = 64 << 20


def key(context: typer.Context) -> None:
    """Print the public key that this machine's ledger is checked with, as PEM."""
    from beholden.ledger.keys import public_pem, read_signer

    here = session(context)
    with offline.failures():
        signer = read_signer(settings().ledger.key_file)
    pem = public_pem(signer.public)
    here.output.document({"key": signer.id, "pem": pem})
    here.output.line(pem.rstrip())


def prove(
    context: typer.Context,
    decision: Annotated[str, typer.Argument(help="The decision's id, as every answer names it.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the proof here, not on stdout.")
    ] = None,
    ledger: Place = "",
) -> None:
    """Prove that a decision and its outcome are in the ledger, to whoever has the public key.

    The proof shows nothing of other records. With --as TENANT only that tenant's are proved.
    """
    here = session(context)
    with offline.archive(ledger) as archive:
        proofs = archive.prove(decision, here.options.tenant)
    document = {"proofs": [proof.document() for proof in proofs]}
    if out is None:
        typer.echo(json.dumps(document))
        return
    out.write_text(json.dumps(document) + "\n")
    said = {"decision": decision, "records": len(proofs), "out": str(out)}
    here.output.document(said)
    here.output.show(f"proof of {counted(len(proofs), 'record')} in {safe(out)}")


def check_proof(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The proof; - reads standard input.")],
    key: Keys = None,
) -> None:
    """Check a proof with nothing but the public key; exit code 1 where it proves nothing."""
    from beholden.ledger.proof import check_proof, read_proof

    here = session(context)
    keys = offline.trusted(key or ())
    with offline.failures():
        proofs = [read_proof(one) for one in _proofs(file)]
    failed = False
    for proof in proofs:
        problems = check_proof(proof, keys)
        failed = failed or bool(problems)
        record, checkpoint = proof.entry.record, proof.checkpoint
        told = proof.document()["entry"] | {"body": dict(record.body)}
        here.output.document({"holds": not problems, "problems": list(problems), "entry": told})
        said = "[bold red]Proves nothing[/]" if problems else "[bold green]Proved[/]"
        allowed = "allowed" if record.allowed else "refused"
        rows = [
            ("record", f"{record.kind} {record.id}"),
            ("at", at(record.time_ns / 1e9)),
            ("who", f"{record.principal} of {record.tenant}"),
            ("what", f"{record.action}, {allowed}"),
            ("signed", f"{at(checkpoint.time_ns / 1e9)}, by key {checkpoint.key[:16]}"),
            *(("but", problem) for problem in problems),
        ]
        here.output.show(Group(said, facts(rows)))
    if failed:
        raise typer.Exit(ExitCode.FAILED)


def _proofs(file: Path) -> list[Any]:
    try:
        with nullcontext(sys.stdin) if str(file) == "-" else file.open(encoding="utf-8") as opened:
            document = json.loads(opened.read(_MOST_PROOF))
    except OSError as error:
        raise Failure(f"cannot read {file}: {error.strerror}", "NOT_FOUND") from None
    except (ValueError, RecursionError):
        raise Failure(f"{file} is no JSON", "INVALID_ARGUMENT") from None
    proofs = document.get("proofs") if isinstance(document, dict) else None
    if not isinstance(proofs, list) or not proofs:
        raise Failure(f"{file} holds no proof", "INVALID_ARGUMENT")
    return proofs
