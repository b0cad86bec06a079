"""`beholden policy`: the law that is in force."""

from __future__ import annotations

import typer

from beholden.cli.output import as_document
from beholden.cli.panels import facts
from beholden.cli.session import session
from beholden.cli.words import when
from beholden.v1 import governance_pb2, governance_pb2_grpc


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
            ]
        )
    )
