"""Asks about many pictures at once: a bounded number in flight, past bad ones, and Ctrl-C loses no count."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Generic, Protocol, TypeVar

from google.protobuf.message import Message
from rich.table import Table

from beholden.cli.failures import ExitCode, Failure
from beholden.cli.output import table
from beholden.cli.words import safe
from beholden.client.answers import Answer

Response = TypeVar("Response", bound=Message)

_MOST_FAILURES_SHOWN = 20


class Interruptible(Protocol):
    """What Ctrl-C is noted in."""

    interrupted: bool


@dataclass
class Tally(Generic[Response]):
    """What became of `total` pictures so far. `ended_by` is what would fail for every other one too."""

    total: int
    pictures: int = 0
    failed: list[tuple[Path, Failure]] = field(default_factory=list)
    interrupted: bool = False
    ended_by: Failure | None = None

    def add(self, file: Path, result: Answer[Response] | Failure) -> None:
        """Counts one picture."""
        self.pictures += 1
        if isinstance(result, Failure):
            self.failed.append((file, result))
            if not _one_pictures_fault(file, result):
                self.ended_by = result
        else:
            self.count(result.message)

    def count(self, response: Response) -> None:
        """Counts what one answer has."""

    @property
    def exit_code(self) -> ExitCode:
        """What the shell is told."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.ended_by:
            return self.ended_by.exit_code
        return ExitCode.FAILED if self.failed else ExitCode.OK

    def failures(self) -> Table:
        """Which pictures failed, and why."""
        return failures(self.failed)


def failures(failed: Sequence[tuple[Path | str, Failure]]) -> Table:
    """What failed, and why."""
    shown = table("failed", "why")
    for file, failure in failed[:_MOST_FAILURES_SHOWN]:
        why = "; ".join(problem for _, problem in failure.fields) or failure.message
        shown.add_row(safe(file), safe(why))
    hidden = len(failed) - _MOST_FAILURES_SHOWN
    if hidden > 0:
        shown.add_row(f"and {hidden} more", "--json lists every one")
    return shown


def run(
    files: Sequence[Path],
    ask: Callable[[Path], Answer[Response] | Failure],
    jobs: int,
    tell: Callable[[Path, Answer[Response] | Failure], None],
    tally: Tally[Response],
) -> None:
    """Calls `ask` for each of `files`, `jobs` at a time, and `tell` as each is done and tallied.

    After Ctrl-C, or a failure that every other picture would meet too, nothing more is begun and
    what is in flight is finished and counted.
    """
    waiting = iter(files)
    running: dict[Future[Answer[Response] | Failure], Path] = {}
    with ThreadPoolExecutor(jobs) as pool, interrupts(tally):
        while True:
            if not (tally.interrupted or tally.ended_by):
                for file in islice(waiting, jobs - len(running)):
                    running[pool.submit(ask, file)] = file
            if not running:
                return
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                file = running.pop(done)
                tally.add(file, done.result())
                tell(file, done.result())


def _one_pictures_fault(file: Path, failure: Failure) -> bool:
    """Whether another picture may fare better."""
    if failure.status == "INVALID_ARGUMENT":
        fields = [name for name, _ in failure.fields]
        return any(name == str(file) or name.startswith("image") for name in fields)
    return failure.status in {"INTERNAL", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED"}


@contextmanager
def interrupts(tally: Interruptible) -> Iterator[None]:
    """Turns the first Ctrl-C into `tally.interrupted`; a second one interrupts as usual."""

    def note(number: int, frame: FrameType | None) -> None:
        tally.interrupted = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
