"""Plays the scenes: shows each command and runs it as anyone would, over gRPC."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing as ending
from pathlib import Path

from rich.console import Console
from rich.text import Text

from beholden.cli.run import run
from beholden.cli.story.scenes import Scene


class Teller:
    """Tells to `console`; the commands go to the server at `address`; `off` are roles without a model."""

    def __init__(self, console: Console, address: str, off: Collection[str]) -> None:
        self._console = console
        self._address = address
        self._off = off
        self._number = 0
        self.went_wrong = 0

    def tell(self, scenes: Iterable[Scene]) -> None:
        """Plays scene after scene; counts the commands that ended otherwise than the story says."""
        for scene in scenes:
            self._number += 1
            self._console.rule(f"[bold]{self._number}  {scene.title}[/]", align="left", style="dim")
            missing = [role for role in scene.needs if role in self._off]
            if missing:
                self._console.print(
                    f"[yellow]left out: no {missing[0]} is here; `beholden models pull` fetches it[/]"
                )
                continue
            self._play(scene)

    def _play(self, scene: Scene) -> None:
        if scene.says:
            self._console.print(scene.says, style="italic")
        for command in scene.before:
            self._run(("--quiet", *command), 0)
        for command in scene.commands:
            self._console.print(Text(f"$ beholden {shown(command)}", style="cyan"))
            self._run(command, scene.ends)

    def _run(self, command: tuple[str, ...], ends: int) -> None:
        code = run(["--server", self._address, *command])
        if code != ends:
            self.went_wrong += 1
            self._console.print(f"[red]that ended with {code}; the story wanted {ends:d}[/]")


def shown(command: tuple[str, ...]) -> str:
    """The command as one would type it, with paths from here where that is shorter."""
    here = Path.cwd()
    return shlex.join(arg.replace(f"{here}/", "") for arg in command)


def forge(ledger: Path, copy: Path) -> None:
    """Copies a SQLite ledger and makes an allowed call of its first refusal."""
    with ending(sqlite3.connect(ledger)) as source, ending(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute(
            "UPDATE ledger_entries SET allowed = 1 WHERE rowid = "
            "(SELECT rowid FROM ledger_entries WHERE NOT allowed ORDER BY sequence LIMIT 1)"
        )
        target.commit()
