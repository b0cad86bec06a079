"""The policies that a command works on, and their law, with this command's failures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer
from rich.table import Table

from beholden.cli.configured import settings
from beholden.cli.offline import failures
from beholden.cli.output import table
from beholden.cli.words import safe

if TYPE_CHECKING:
    from beholden.policy.law import Law
    from beholden.policy.opa_tool import OpaTool
    from beholden.policy.tenants import Tenant


class Changed(Protocol):
    """Calls that another law decides alike, and otherwise than they were."""

    @property
    def change(self) -> str: ...  # noqa: D102
    @property
    def tenant(self) -> str: ...  # noqa: D102
    @property
    def action(self) -> str: ...  # noqa: D102
    @property
    def laws(self) -> Sequence[str]: ...  # noqa: D102


Folder = Annotated[
    Path | None,
    typer.Option("--policies", metavar="FOLDER", help="The policies; those in force if absent."),
]


def chosen(folder: Path | None) -> Path:
    """The folder that was named, else the one of the settings."""
    return folder or settings().law_folder


def changes(groups: Iterable[tuple[Changed, int, str]]) -> Table:
    """What another law would change: such calls, how many they are, and one of their decisions."""
    shown = table("=tenant", "=action", ">calls", "change")
    for group, count, example in groups:
        said = (f"{group.change}: {', '.join(group.laws)}", f"for example {example}")
        calls = map(safe, (group.tenant, group.action, f"{count:,}"))
        shown.add_row(*calls, "\n".join(map(safe, said)))
    return shown


@contextmanager
def law_at(place: str, folder: Path | None = None) -> Iterator[tuple[Path, Law]]:
    """A policies folder, or a git revision of `folder`, and its law. Raises Failure."""
    from beholden.policy.open import read_law
    from beholden.policy.places import policies_at

    with failures(), policies_at(place, chosen(folder)) as found:
        yield found, read_law(found)


def tenants_of(folder: Path) -> Mapping[str, Tenant]:
    """The folder's own registry, else the one of the settings. Raises Failure."""
    from beholden.policy.tenants import load_tenants

    own = folder / "tenants.yaml"
    with failures():
        return load_tenants(own if own.is_file() else settings().tenants)


def opa() -> OpaTool | None:
    """The `opa` on this machine; None where there is none."""
    from beholden.policy.opa_tool import find_opa

    return find_opa(Path(".engines/bin"))
