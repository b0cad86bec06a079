"""Starts units in their order, each rank healthy before the next; ends what was started, and only that."""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from beholden.core.errors import FailedPrecondition
from beholden.engines import process
from beholden.engines.state import Record, State, how
from beholden.engines.unit import Unit, healthy

ENGINE, SERVICE = "engine", "service"
_GRACE = 15.0
_LOG_LINES = 8


@dataclass(frozen=True, slots=True)
class Step:
    """One unit of a plan.

    `build` makes it, told the addresses of those before it and its own of last time, if any. One that
    runs already is kept: a service only while it would be started the same way today; for an engine
    `refresh` may bring it up to date.
    """

    name: str
    kind: str
    build: Callable[[Mapping[str, str], str | None], Unit]
    refresh: Callable[[], object] = lambda: None


@dataclass(frozen=True, slots=True)
class Row:
    """One unit as `status` shows it; `uptime` in seconds, `memory` in bytes, both 0 when it is down."""

    name: str
    kind: str
    state: str
    pid: int
    address: str
    uptime: float
    memory: int
    log: str


Progress = Callable[[Sequence[Row]], None]


class Stack:
    """What runs under `folder`: its state, its logs, and the engines' data."""

    def __init__(self, folder: Path) -> None:
        self._logs = folder / "logs"
        self._state = State(folder)

    def up(self, plan: Sequence[Sequence[Step]], progress: Progress = lambda _: None) -> None:
        """Starts what does not run, rank by rank.

        Raises FailedPrecondition when a unit does not become healthy; whatever ends this early,
        what it started is ended again.
        """
        with self._state.changing():
            records = self._state.read()
            begun: list[str] = []
            try:
                for rank in plan:
                    waiting = {step.name: self._begin(step, records, begun) for step in rank}
                    self._wait(waiting, records, progress)
            except BaseException:
                self._end([records[name] for name in begun], records)
                raise

    def down(self, progress: Progress = lambda _: None) -> list[str]:
        """Ends everything, services first. The names of what ran."""
        with self._state.changing():
            records = self._state.read()
            ran = [record.name for record in records.values() if process.alive(record.process)]
            for kind in (SERVICE, ENGINE):
                progress(self._rows(records))
                self._end([one for one in records.values() if one.kind == kind], records)
            return ran

    def rows(self) -> list[Row]:
        """Everything that was started, and how it is now."""
        return self._rows(self._state.read())

    def _begin(self, step: Step, records: dict[str, Record], begun: list[str]) -> float:
        """Starts the step unless it runs; until when it may take to become healthy."""
        known = records.get(step.name)
        runs = known is not None and process.alive(known.process)
        if known is not None and runs and step.kind == ENGINE:
            step.refresh()
            return time.monotonic() + _GRACE
        addresses = {name: record.address for name, record in records.items()}
        unit = step.build(addresses, known.address if known else None)
        digest = _digest(unit)
        if known is not None and runs:
            if known.digest == digest:
                return time.monotonic() + unit.patience
            self._end([known], records)
        log = self._logs / f"{step.name}.log"
        records[step.name] = Record(
            name=step.name,
            kind=step.kind,
            process=process.start(unit, log),
            address=unit.address,
            health=unit.health,
            stop=int(unit.stop),
            digest=digest,
            log=str(log),
            leaves=unit.leaves,
        )
        begun.append(step.name)
        self._state.write(records)
        return time.monotonic() + unit.patience

    def _wait(
        self, waiting: dict[str, float], records: Mapping[str, Record], progress: Progress
    ) -> None:
        while waiting:
            for name, until in list(waiting.items()):
                record = records[name]
                if not process.alive(record.process):
                    raise _failed(record, "ended at once")
                if healthy(record.health):
                    del waiting[name]
                elif time.monotonic() > until:
                    raise _failed(record, "did not become healthy in time")
            progress(self._rows(records, waiting))
            if waiting:
                time.sleep(0.1)

    def _end(self, ended: Sequence[Record], records: dict[str, Record]) -> None:
        process.end({record.process: how(record) for record in ended}, _GRACE)
        for record in ended:
            process.sweep(record.leaves)
            del records[record.name]
        self._state.write(records)

    def _rows(
        self, records: Mapping[str, Record], starting: Mapping[str, float] | None = None
    ) -> list[Row]:
        def state(record: Record) -> str:
            if not process.alive(record.process):
                return "down"
            if starting is not None:
                return "starting" if record.name in starting else "healthy"
            return "healthy" if healthy(record.health) else "sick"

        return [_row(record, state(record), starting is None) for record in records.values()]


def _row(record: Record, state: str, weigh: bool) -> Row:
    runs = state != "down"
    return Row(
        name=record.name,
        kind=record.kind,
        state=state,
        pid=record.process.pid,
        address=_public(record.address),
        uptime=process.uptime(record.process) if runs else 0,
        memory=process.memory(record.process) if runs and weigh else 0,
        log=record.log,
    )


def _failed(record: Record, problem: str) -> FailedPrecondition:
    with Path(record.log).open(errors="replace") as log:
        tail = "".join(deque(log, _LOG_LINES)).strip()
    return FailedPrecondition(f"{record.name} {problem}; its log {record.log} ends:\n{tail}")


def _digest(unit: Unit) -> str:
    own = {name: value for name, value in unit.env.items() if name.startswith("BEHOLDEN_")}
    started = [list(unit.argv), sorted(own.items()), str(unit.folder)]
    return hashlib.sha256(json.dumps(started).encode()).hexdigest()


def _public(address: str) -> str:
    """The address without its password."""
    parts = urlsplit(address)
    if parts.password is None:
        return address
    return parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", "@")).geturl()
