"""Processes are known again, ended whole, and never taken for others."""

import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from beholden.engines import process
from beholden.engines.unit import Unit, environment

FAMILY = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("family", flush=True)
{then}
time.sleep(600)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def unit(code: str, folder: Path, **more: object) -> Unit:
    return Unit(
        name="test",
        argv=[sys.executable, "-c", code],
        address="",
        health="",
        env=environment(),
        folder=folder,
        **more,
    )


def until(log: Path, text: str) -> None:
    for _ in range(1000):
        if text in log.read_text():
            return
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def everyone() -> set[int]:
    return {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}


def begun(folder: Path, code: str) -> process.Identity:
    made = process.start(unit(code, folder), folder / "log")
    until(folder / "log", "family")
    return made


@pytest.mark.parametrize("then", ["", STUBBORN], ids=["willing", "stubborn"])
def test_it_ends_with_everything_that_it_started(tmp_path: Path, then: str) -> None:
    made = begun(tmp_path, FAMILY.format(then=then))
    assert process.alive(made)
    assert process.memory(made) > 1_000_000
    assert 0 <= process.uptime(made) < 600
    family = {member.pid for member in process._family(made)}
    assert len(family) == 3
    assert family <= everyone()
    process.end({made: signal.SIGTERM}, 0.2 if then else 30)
    assert not process.alive(made)
    remaining = [pid for pid in family if _runs(pid)]
    assert not remaining


def test_what_a_killed_one_left_of_its_session_ends_too(tmp_path: Path) -> None:
    made = begun(tmp_path, FAMILY.format(then=""))
    family = {member.pid for member in process._family(made)}
    os.kill(made.pid, signal.SIGKILL)
    while process.alive(made):
        time.sleep(0.01)
    mates = {pid for pid in family - {made.pid} if os.getsid(pid) == made.pid}
    process.end({made: signal.SIGTERM}, 30)
    assert len(mates) == 1
    assert not any(map(_runs, mates))
    for pid in family - mates - {made.pid}:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another"}])
def test_another_with_the_same_number_is_left_alone(
    tmp_path: Path, change: dict[str, object]
) -> None:
    made = begun(tmp_path, FAMILY.format(then=""))
    if "started" in change:
        change = {"started": made.started - 1}
    other = replace(made, **change)
    assert not process.alive(other)
    assert process.memory(other) == 0
    process.end({other: signal.SIGKILL}, 5)
    assert process.alive(made)
    process.end({made: signal.SIGTERM}, 30)


def test_one_that_ends_at_once_is_known_to_have_ended(tmp_path: Path) -> None:
    made = process.start(unit("print('so long')", tmp_path), tmp_path / "logs" / "log")
    while process.alive(made):
        time.sleep(0.01)
    assert (tmp_path / "logs" / "log").read_text() == "so long\n"
    process.end({made: signal.SIGTERM}, 5)


def test_nobody_else_may_read_what_it_writes(tmp_path: Path) -> None:
    made = process.start(unit("open('secret', 'w')", tmp_path), tmp_path / "log")
    while process.alive(made):
        time.sleep(0.01)
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


def test_engines_are_not_told_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEHOLDEN_TOKEN", "secret")
    assert "secret" not in environment(OTHER="1").values()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
