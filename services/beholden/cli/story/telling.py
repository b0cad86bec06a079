"""Plays the scenes: shows each command and runs it as anyone would, over gRPC."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Collection, Iterable
from contextlib import redirect_stderr
from pathlib import Path

from rich.console import Console
from rich.text import Text

from beholden.cli.failures import ExitCode
from beholden.cli.run import run
from beholden.cli.story.scenes import Scene


class Teller:
    """Tells to `console`; the commands go to the server at `address`.

    Paths are shown as they are seen from the folder `around`; `off` are roles without a model.
    """

    def __init__(self, console: Console, address: str, around: Path, off: Collection[str]) -> None:
        self._console = console
        self._address = address
        self._around = around
        self._off = off
        self.went_wrong = 0

    def tell(self, scenes: Iterable[Scene]) -> None:
        """Plays scene after scene; counts the commands that ended otherwise than the story says."""
        for number, scene in enumerate(scenes, 1):
            self._console.rule(f"[bold]{number}  {scene.title}[/]", align="left", style="dim")
            missing = [role for role in scene.needs if role in self._off]
            if missing:
                self._console.print(
                    f"[yellow]left out: there is no {' and no '.join(missing)}; "
                    "`beholden models pull` fetches it[/]"
                )
                continue
            if scene.says:
                self._console.print(scene.says, style="italic")
            for command in scene.before:
                self._run(("--quiet", *command), 0)
            for command in scene.commands:
                line = shlex.join(arg.removeprefix(f"{self._around}/") for arg in command)
                self._console.print(Text(f"$ beholden {line}", style="cyan"))
                self._run(command, scene.ends)

    def _run(self, command: tuple[str, ...], ends: int) -> None:
        # A refusal belongs to the story: it is told where the rest is.
        with redirect_stderr(sys.stdout):
            code = run(["--server", self._address, *command])
        if code == ExitCode.INTERRUPTED:
            raise KeyboardInterrupt
        if code != ends:
            self.went_wrong += 1
            self._console.print(f"[red]that ended with {code}, and the story wanted {ends:d}[/]")
