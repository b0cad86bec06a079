"""`python -m tests.bench.faults`: kills each process of the real stack under load and prints a table."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from tests.faults import Fault, Load, kill
from tests.stack import folder, stack


def main() -> None:
    """One row a process; `--only` for some of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="names as `beholden status` has them")
    only = parser.parse_args().only
    out = Console()
    table = Table(title="Killed under load, one at a time")
    for title in ("killed", "callers saw", "answered", "wrong", "lost", "recovered in"):
        table.add_column(title)
    with folder() as place, stack(place) as real:
        Load(real).prepare()
        for name in only or [row.name for row in real.rows()]:
            out.print(f"killing {name}")
            table.add_row(*_cells(kill(real, name)))
    out.print(table)


def _cells(fault: Fault) -> tuple[str, ...]:
    saw = ", ".join(f"{count} {code}" for code, count in fault.statuses.most_common())
    if fault.without_retry:
        saw += f" ({fault.without_retry} without RetryInfo)"
    return (
        fault.killed,
        saw or "nothing",
        str(fault.answered),
        "; ".join(fault.wrong) or "none",
        "; ".join(fault.lost) or "nothing",
        f"{fault.recovery:.1f} s",
    )


if __name__ == "__main__":
    main()
