"""Options and arguments that several commands share, and the examples under their help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

Picture = Annotated[Path, typer.Argument(help="A JPEG or PNG file; - reads standard input.")]
Place = Annotated[
    str,
    typer.Option(
        "--ledger",
        metavar="PLACE",
        help="The ledger's URL, or an export of it; BEHOLDEN_LEDGER_URL if absent.",
    ),
]
Keys = Annotated[
    list[Path] | None,
    typer.Option(
        "--key", metavar="PEM", help="The public key that must have signed it; repeatable."
    ),
]
Collection = Annotated[str, typer.Argument(help="The collection's id.")]
Draw = Annotated[
    Path | None,
    typer.Option("--draw", metavar="OUT.png", help="Write the picture with what was found in it."),
]
MinConfidence = Annotated[
    float | None,
    typer.Option(
        min=0, max=1, help="Leave out what is less certain; the server's choice if absent."
    ),
]
MinSimilarity = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Leave out what is less alike; 0.8 if absent."),
]


def examples(*lines: str) -> str:
    """An epilogue of command lines, less the `beholden`; what follows '  # ' is an aside."""
    shown = []
    for line in lines:
        command, _, aside = line.partition("  # ")
        shown.append(
            f"  beholden {escape(command)}" + (f"  [dim]# {escape(aside)}[/]" if aside else "")
        )
    return "\n".join(["[bold]Examples[/]", *shown])
