"""`beholden policy simulate`: what a candidate law would have decided on the calls that were made."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group, RenderableType

from beholden.cli import offline
from beholden.cli.configured import settings
from beholden.cli.options import Place
from beholden.cli.policies import Folder, changes, law_at
from beholden.cli.session import session
from beholden.cli.words import counted, safe

if TYPE_CHECKING:
    from beholden.policy.comparison import Findings

_SHOWN = 30


def simulate(
    context: typer.Context,
    law: Annotated[str, typer.Option(metavar="FOLDER", help="The candidate, or a git revision.")],
    ledger: Place = "",
    workers: Annotated[
        int, typer.Option(min=0, max=256, help="Processes; one for each processor if 0.")
    ] = 0,
    policies: Folder = None,
) -> None:
    """Replay every recorded decision under another law and show what would change; nothing is enforced.

    Counts by tenant, action and the law entries behind the change, each with decisions as examples.
    Verify the ledger first: what it holds is believed here.
    """
    from beholden.ledger.recorded import recorded
    from beholden.policy.simulation import simulate

    here = session(context)
    chosen = settings()
    with (
        law_at(law, policies) as (_, candidate),
        offline.failures(),
        offline.progress(here.output, "replaying") as progress,
    ):
        records = recorded(ledger or chosen.ledger_url, chosen.ledger, progress)
        found = simulate(candidate, ((r.id, r.tenant, r.action, r.body) for r in records), workers)
    here.output.document(_document(candidate.revision, found))
    here.output.show(_told(candidate.revision, found))


def _document(revision: str, found: Findings) -> dict[str, Any]:
    return {
        "revision": revision,
        "replayed": found.replayed,
        "unreadable": found.unreadable,
        "changed": found.changed.total(),
        "groups": [
            {
                "change": group.change,
                "tenant": group.tenant,
                "action": group.action,
                "laws": group.laws,
                "count": count,
                "examples": found.examples[group],
            }
            for group, count in found.changed.most_common()
        ],
    }


def _told(revision: str, found: Findings) -> RenderableType:
    said = f"{counted(found.replayed, 'decision')} under {revision}: "
    if found.unreadable:
        said += f"{found.unreadable:,} could not be read; "
    if not found.changed:
        return safe(f"{said}none would change")
    shown = changes(
        (group, count, found.examples[group][0])
        for group, count in found.changed.most_common(_SHOWN)
    )
    kinds: Counter[str] = Counter()
    for group, count in found.changed.items():
        kinds[group.change] += count
    total = "; ".join(f"{count:,} {change}" for change, count in kinds.most_common())
    more = len(found.changed) - _SHOWN
    rest = [f"[dim]and {counted(more, 'group')} more; --json has them all[/]"] if more > 0 else []
    return Group(shown, *rest, f"[bold]{safe(said + total)}[/]")
