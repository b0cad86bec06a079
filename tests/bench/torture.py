"""`python -m tests.bench.torture`: callers enrol, search, erase for minutes while the store is killed.

Over Milvus Lite the whole service dies; with `--milvus` a real Milvus server of its own does, and the
service stays. It ends with one table, and with exit code 1 where a promise was broken.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tests import engines
from tests.house import ROOT
from tests.torture import Report, Served, torture


def main() -> None:
    """Runs, prints, and keeps the figures under out/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--callers", type=int, default=16)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--milvus", action="store_true", help="a real server, from .engines")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        report = _run(folder, stack, options)
    found = {**vars(report), "minutes": options.minutes, "callers": options.callers}
    out = ROOT / "out" / f"torture-{'milvus' if options.milvus else 'lite'}.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(found, indent=1))
    _show(report, options)
    sys.exit(1 if report.wrong else 0)


def _run(folder: Path, stack: ExitStack, options: argparse.Namespace) -> Report:
    kill: Callable[[], None] | None = None
    if options.milvus:
        engine = engines.needs("milvus")
        server = stack.enter_context(
            engines.running(engine.unit(folder / "milvus", 0), folder / "milvus.log")
        )
        served = Served(folder, stack, STORE_URL=server.unit.address, STORE__LOAD_TIMEOUT="120")

        def kill() -> None:
            server.kill()
            time.sleep(2)
            server.start()

    else:
        served = Served(folder, stack)
    bar = stack.enter_context(Progress(transient=True))
    task = bar.add_task("", total=1.0)

    def progress(report: Report, share: float) -> None:
        said = ", ".join(f"{count} {name}" for name, count in sorted(report.done.items()))
        bar.update(
            task,
            completed=share,
            description=f"{said or 'begins'} · {report.kills} kills · {len(report.wrong)} wrong",
        )

    return torture(
        served,
        kill=kill,
        callers=options.callers,
        seconds=options.minutes * 60,
        kills=options.kills,
        seed=options.seed,
        progress=progress,
    )


def _show(report: Report, options: argparse.Namespace) -> None:
    store = "Milvus" if options.milvus else "Milvus Lite"
    table = Table(title=f"{store}, {options.callers} callers, {options.minutes:g} minutes")
    table.add_column("what")
    table.add_column("figure", justify="right")
    for name, count in sorted(report.done.items()):
        table.add_row(f"answered: {name}", f"{count:,}")
    for name, count in report.statuses.most_common():
        table.add_row(f"refused: {name}", f"{count:,}")
    table.add_row("store killed", str(report.kills))
    table.add_row("faces acknowledged and there", f"{report.acknowledged:,}")
    table.add_row("faces deleted or erased and gone", f"{report.deleted:,}")
    table.add_row("faces whose end was not answered", f"{report.doubted:,}")
    table.add_row("promises broken", str(len(report.wrong)))
    out = Console()
    out.print(table)
    for said in report.wrong[:20]:
        out.print(said, style="red", markup=False)


if __name__ == "__main__":
    main()
