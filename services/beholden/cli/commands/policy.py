"""`beholden policy status | shadow`: the law that is in force, and a candidate beside it."""

from __future__ import annotations

import typer

from beholden.cli.failures import Failure
from beholden.cli.output import as_document
from beholden.cli.panels import facts
from beholden.cli.policies import changes
from beholden.cli.session import session
from beholden.cli.words import counted, when
from beholden.v1 import governance_pb2, governance_pb2_grpc

_SHOWN = 30


def status(context: typer.Context) -> None:
    """Show which law is in force, and since when this server has had it."""
    here = session(context)
    stub = here.stub(governance_pb2_grpc.GovernanceServiceStub)
    answer = here.client.call(stub.GetPolicyStatus, governance_pb2.GetPolicyStatusRequest())
    found = answer.message
    here.output.document(as_document(found, decision_id=answer.decision_id))
    here.output.show(
        facts(
            [
                ("revision", found.revision),
                ("engine", found.engine),
                ("loaded", when(found.load_time)),
                ("healthy", "yes" if found.healthy else "no"),
                ("detail", found.detail),
                ("not taken up", found.problem),
                ("shadow", found.shadow.revision or found.shadow.problem),
            ]
        )
    )


def shadow(context: typer.Context) -> None:
    """Show what a candidate law would have decided otherwise on live calls; nothing of it was done.

    The server is given the candidate by BEHOLDEN_POLICY__SHADOW=FOLDER, and takes up its edits.
    """
    here = session(context)
    stub = here.stub(governance_pb2_grpc.GovernanceServiceStub)
    answer = here.client.call(stub.GetPolicyStatus, governance_pb2.GetPolicyStatusRequest())
    status = answer.message
    if not status.HasField("shadow"):
        raise Failure(
            "no candidate law is asked beside the one in force",
            "FAILED_PRECONDITION",
            hint="start the server with BEHOLDEN_POLICY__SHADOW=FOLDER",
        )
    found = status.shadow
    here.output.document(as_document(found, decision_id=answer.decision_id))
    here.output.show(
        facts(
            [
                ("candidate", found.revision or "not asked yet"),
                ("in force", status.revision),
                ("since", when(found.start_time)),
                ("compared", counted(found.compared_count, "decision")),
                ("dropped", f"{found.dropped_count:,}" if found.dropped_count else ""),
                ("no answer", f"{found.failed_count:,}" if found.failed_count else ""),
                ("not taken up", found.problem),
            ]
        )
    )
    if not found.differences:
        here.output.show("[dim]every one would have been decided as it was[/]")
        return
    shown = found.differences[:_SHOWN]
    here.output.show(changes((one, one.count, next(iter(one.decision_ids), "")) for one in shown))
    if (more := len(found.differences) - _SHOWN) > 0:
        here.output.show(f"[dim]and {counted(more, 'change')} more; --json has them all[/]")
