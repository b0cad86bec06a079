"""Where answers go: tables for people, JSON for programs; errors and progress always to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column, Table
from rich.text import Text

from beholden.cli.failures import Failure
from beholden.cli.panels import failure_panel


class Output:
    """The terminal, as this command may use it."""

    def __init__(self, *, json: bool, quiet: bool) -> None:
        self.json = json
        self.quiet = quiet
        self._out = Console(highlight=False)
        self._err = Console(highlight=False, stderr=True)

    @property
    def for_people(self) -> bool:
        """Whether somebody reads along."""
        return not (self.json or self.quiet)

    def show(self, *what: RenderableType) -> None:
        """Prints for people; programs and --quiet see nothing of it."""
        if self.for_people:
            for item in what:
                self._out.print(item)

    def line(self, text: str) -> None:
        """Prints bare text for people to copy: no style, no wrapping."""
        if not self.json:
            self._write(text)

    def document(self, document: Mapping[str, Any]) -> None:
        """Prints one JSON document on one line, for programs only."""
        if self.json:
            self._write(json.dumps(document, ensure_ascii=False))

    def _write(self, line: str) -> None:
        # Flushed, so that whoever reads along has each line when it is there.
        self._out.file.write(line + "\n")
        self._out.file.flush()

    def note(self, text: str) -> None:
        """Says something beside the answer, on stderr, to people."""
        if self.for_people:
            self._err.print(Text(text, style="dim"))

    def failure(self, failure: Failure) -> None:
        """Prints what went wrong, on stderr, in everybody's form."""
        if self.json:
            self._err.file.write(json.dumps(failure.document(), ensure_ascii=False) + "\n")
        else:
            self._err.print(failure_panel(failure))

    def confirm(self, question: str, yes: bool) -> None:
        """Asks before something is lost, unless told not to. Raises typer.Abort, BadParameter."""
        if yes:
            return
        if not (self.for_people and sys.stdin.isatty()):
            raise typer.BadParameter("nobody is there to be asked; add --yes", param_hint="--yes")
        typer.confirm(question, abort=True, err=True)

    def progress(self, *, rate: bool = False, size: bool = False) -> Progress:
        """A progress bar on stderr that leaves no trace: counts, or sizes in bytes."""
        speed = [_Rate()] if rate else []
        amount = (
            [DownloadColumn(table_column=Column(no_wrap=True)), TransferSpeedColumn()]
            if size
            else [MofNCompleteColumn()]
        )
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            *amount,
            *speed,
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=self._err,
            disable=not (self.for_people and self._err.is_terminal),
            transient=True,
        )


class _Rate(ProgressColumn):
    """How many a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "", style="progress.data.speed")


def as_document(message: Message, **more: str) -> dict[str, Any]:
    """A message as JSON (proto3's canonical form, the proto's field names), `more` beside its fields."""
    fields = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return {**fields, **more}


def table(*columns: str) -> Table:
    """An empty table in the house's style.

    A column that starts with `>` holds numbers, one that starts with `=` names that are not broken.
    """
    made = Table(box=None, pad_edge=False)
    for column in columns:
        made.add_column(
            column.lstrip(">="),
            justify="right" if column.startswith(">") else "left",
            header_style="bold",
            no_wrap=column.startswith((">", "=")),
            overflow="fold",
        )
    return made
