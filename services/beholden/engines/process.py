"""Processes that outlive the command that starts them, known again by more than a number."""

from __future__ import annotations

import glob
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from beholden.engines.unit import Unit

_STATE, _PARENT, _SESSION, _STARTED = 2, 3, 5, 21
"""Fields of /proc/PID/stat (proc(5)), counted from 0."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A process: its number, and when it began in clock ticks after a boot, as no other did."""

    pid: int
    started: int
    boot: str


def start(unit: Unit, log: Path) -> Identity:
    """Starts `unit` in a session of its own, its output appended to `log`. Raises OSError."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sweep(unit.leaves)
    account = {"user": unit.user, "group": unit.user, "extra_groups": ()} if unit.user else {}
    with log.open("ab", buffering=0) as output:
        made = subprocess.Popen(  # type: ignore[call-overload]
            unit.argv,
            cwd=unit.folder,
            env=unit.env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=0o077,
            **account,
        )
    # It may outlive this process, which Popen would otherwise complain of.
    made.returncode = 0
    # Nobody has waited for it yet, so that there is an entry even if it has ended already.
    stat = _stat(made.pid)
    assert stat is not None
    return Identity(made.pid, int(stat[_STARTED]), _boot())


def alive(process: Identity) -> bool:
    """Whether it still runs."""
    with suppress(ChildProcessError):
        # A child of ours that has ended stays there until it is waited for.
        os.waitpid(process.pid, os.WNOHANG)
    stat = _stat(process.pid)
    return (
        stat is not None
        and stat[_STATE] not in {"Z", "X"}
        and Identity(process.pid, int(stat[_STARTED]), _boot()) == process
    )


def end(asked: Mapping[Identity, signal.Signals], grace: float) -> None:
    """Asks all of them to end, and after `grace` seconds makes them; nothing they started is left over."""
    everyone = {*asked, *(member for process in asked for member in _family(process))}
    for process, how in asked.items():
        if alive(process):
            _signal(process, how)
    deadline = time.monotonic() + grace
    while any(map(alive, asked)) and time.monotonic() < deadline:
        time.sleep(0.05)
    everyone |= {member for process in asked for member in _family(process)}
    for member in filter(alive, everyone):
        _signal(member, signal.SIGKILL)
    while any(map(alive, everyone)):
        time.sleep(0.02)


def sweep(leaves: str) -> None:
    """Removes what a killed process left behind; "" is nothing."""
    for left in glob.glob(leaves):  # noqa: PTH207 - the pattern is absolute
        Path(left).unlink(missing_ok=True)


def uptime(process: Identity) -> float:
    """Seconds since it was started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - process.started / os.sysconf("SC_CLK_TCK")


def memory(process: Identity) -> int:
    """Bytes that it and what it started hold; a page that several share counts for each in part."""
    return sum(_held(member.pid) for member in _family(process))


def _signal(process: Identity, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process.pid, how)


def _family(process: Identity) -> Iterator[Identity]:
    """It, its session's members and everything that these started, as far as they are there."""
    boot = _boot()
    if process.boot != boot:
        return
    everyone = {
        pid: stat
        for pid in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        # A number given anew to somebody older than the process would be somebody else's.
        if (stat := _stat(pid)) and int(stat[_STARTED]) >= process.started
    }
    leader = everyone.get(process.pid)
    if leader is not None and int(leader[_STARTED]) != process.started:
        return
    found = {pid for pid, stat in everyone.items() if int(stat[_SESSION]) == process.pid}
    newest = found
    while newest:
        newest = {p for p, stat in everyone.items() if int(stat[_PARENT]) in newest} - found
        found = found | newest
    for pid in found:
        yield Identity(pid, int(everyone[pid][_STARTED]), boot)


def _held(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0  # it has ended, or is not ours to look into


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is a name in parentheses, which may itself hold spaces and parentheses.
    head, _, tail = text.rpartition(")")
    return [str(pid), head.partition("(")[2], *tail.split()]


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
