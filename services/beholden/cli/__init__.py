"""The `beholden` command.

app        the options that every command has   tree/      which commands there are
session    what a command has at hand           client     the calls to a server
identity   tokens, given or minted              failures   what went wrong, and exit codes
output     tables for people, JSON for programs panels     refusals and decisions as a person reads them
pictures   files in                             drawing    annotated pictures out
commands/  one file a command                   story/     the demo
ending     how the process ends
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line (the process's own if None) and returns its exit code."""
    if argv is not None:
        from beholden.cli.run import run

        return run(argv)
    if "serve" in sys.argv:
        from beholden.runtime.jemalloc import start_over_jemalloc

        start_over_jemalloc()
    from beholden.cli.ending import Ending

    ending = Ending()
    from beholden.cli.run import run

    ending.code = run(sys.argv[1:])
    return ending.code
