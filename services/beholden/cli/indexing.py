"""Enrols many pictures at once: a bounded number in flight, past bad ones, and Ctrl-C loses no count."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import FrameType

from beholden.cli.client import Answer
from beholden.cli.failures import ExitCode, Failure
from beholden.v1 import search_pb2

Result = Answer[search_pb2.IndexFacesResponse] | Failure


@dataclass
class Tally:
    """What became of `total` pictures so far. `ended_by` is what would fail for every other one too."""

    total: int
    pictures: int = 0
    faces: int = 0
    faceless: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[Path, Failure]] = field(default_factory=list)
    interrupted: bool = False
    ended_by: Failure | None = None

    def add(self, file: Path, result: Result) -> None:
        """Counts one picture."""
        self.pictures += 1
        if isinstance(result, Failure):
            self.failed.append((file, result))
            if not _one_pictures_fault(file, result):
                self.ended_by = result
            return
        enrolled, left_out = result.message.faces, result.message.unindexed_faces
        self.faces += len(enrolled)
        self.faceless += not (enrolled or left_out)
        for face in left_out:
            for reason in face.reasons:
                name = search_pb2.UnindexedReason.Name(reason)
                self.left_out[name.removeprefix("UNINDEXED_REASON_")] += 1

    @property
    def exit_code(self) -> ExitCode:
        """What the shell is told."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if self.ended_by:
            return self.ended_by.exit_code
        return ExitCode.FAILED if self.failed else ExitCode.OK


def run(
    files: Sequence[Path],
    enrol: Callable[[Path], Result],
    jobs: int,
    tell: Callable[[Path, Result], None],
) -> Tally:
    """Calls `enrol` for each of `files`, `jobs` at a time, and `tell` as each is done.

    After Ctrl-C, or a failure that every other picture would meet too, nothing more is begun and
    what is in flight is finished and counted.
    """
    tally = Tally(total=len(files))
    waiting = iter(files)
    running: dict[Future[Result], Path] = {}
    with ThreadPoolExecutor(jobs) as pool, _interrupts(tally):
        while True:
            if not (tally.interrupted or tally.ended_by):
                for file in islice(waiting, jobs - len(running)):
                    running[pool.submit(enrol, file)] = file
            if not running:
                return tally
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
def _interrupts(tally: Tally) -> Iterator[None]:
    """Turns the first Ctrl-C into `tally.interrupted`; a second one interrupts as usual."""

    def note(number: int, frame: FrameType | None) -> None:
        tally.interrupted = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
