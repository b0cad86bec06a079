"""`beholden explain`: what the law would say to a call, without making it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import typer
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct
from rich.console import Group, RenderableType

from beholden.cli.failures import ExitCode
from beholden.cli.output import as_document
from beholden.cli.panels import facts, headline, panel, restriction
from beholden.cli.session import session
from beholden.v1 import governance_pb2, governance_pb2_grpc


def explain(
    context: typer.Context,
    action: Annotated[str, typer.Argument(help="An action, for example face.search_by_image.")],
    fact: Annotated[
        list[str] | None,
        typer.Option("--fact", metavar="KEY=VALUE", help="A fact of the request; repeatable."),
    ] = None,
) -> None:
    """Ask what the law would say to a call by you, for your purpose; exit code 3 where it refuses."""
    here = session(context)
    stub = here.stub(governance_pb2_grpc.GovernanceServiceStub)
    answer = here.client.call(
        stub.ExplainAccess,
        governance_pb2.ExplainAccessRequest(
            action=action, request=ParseDict(request_facts(fact or ()), Struct())
        ),
    )
    decision = answer.message.decision
    behind = as_document(answer.message)
    del behind["decision"]
    here.output.document(
        {**as_document(decision, decision_id=answer.decision_id), "behind": behind}
    )
    here.output.show(decision_panel(action, decision, answer.message))
    if not decision.allowed:
        raise typer.Exit(ExitCode.REFUSED)


def request_facts(pairs: Sequence[str]) -> dict[str, Any]:
    """`a.b=1` as {"a": {"b": 1}}; a value is JSON where it can be read so, else text.

    Raises:
        typer.BadParameter: a pair has no key or `=`, is no JSON number, or contradicts one before it.
    """
    said: dict[str, Any] = {}
    for pair in pairs:
        path, equals, value = pair.partition("=")
        if not (path and equals):
            raise typer.BadParameter(f"{pair!r} is not KEY=VALUE", param_hint="--fact")
        *above, last = path.split(".")
        place = said
        for name in above:
            place = place.setdefault(name, {})
            if not isinstance(place, dict):
                raise typer.BadParameter(f"{name} has a value already", param_hint="--fact")
        place[last] = _value(value)
    return said


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_not_finite)
    except json.JSONDecodeError:
        return text


def _not_finite(text: str) -> NoReturn:
    raise typer.BadParameter(f"{text} is no number that JSON has", param_hint="--fact")


def decision_panel(
    action: str,
    decision: governance_pb2.PolicyDecision,
    behind: governance_pb2.ExplainAccessResponse | None = None,
) -> RenderableType:
    """A decision as a person reads it, with what stands behind it where that is known."""
    parts: list[RenderableType] = []
    for reason in decision.reasons:
        parts.append(headline(reason.message or reason.code, reason.since))
        parts.append(facts(restriction(reason.law, reason.since, reason.until, reason.lifted_by)))
    rows = background(behind) if behind else [("exempt by", one) for one in decision.exemptions]
    rows += [("must honour", obligation(duty)) for duty in decision.obligations]
    rows += [("advice", advice) for advice in decision.advice]
    parts.append(facts([*rows, ("revision", decision.revision)]))
    verdict = "allowed" if decision.allowed else "refused"
    return panel(f"{action}: {verdict}", "green" if decision.allowed else "red", Group(*parts))


def background(behind: governance_pb2.ExplainAccessResponse) -> list[tuple[str, str]]:
    """Restrictions that are lifted; of a refusal, what each exemption that does not hold still wants."""
    rows = [
        ("restricted", f"{one.law}, lifted by {', '.join(one.lifted_by)}")
        for one in behind.restrictions
        if one.lifted_by
    ]
    if not behind.decision.allowed:
        rows += [
            ("to change", f"for {one.law}: {'; '.join(one.lacking)}")
            for one in behind.exemptions
            if one.lacking
        ]
    return rows


def obligation(duty: governance_pb2.PolicyObligation) -> str:
    """One obligation in a line."""
    value = MessageToDict(duty.value)
    # Every number of a Struct is a float; 100.0 results would read oddly.
    told = f"{value:g}" if isinstance(value, float) else json.dumps(value)
    return f"{duty.kind.replace('_', ' ')} {told}" + (f" ({duty.law})" if duty.law else "")
