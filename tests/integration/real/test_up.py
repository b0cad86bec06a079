"""`beholden up` as its user meets it."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from beholden.engines import process
from beholden.engines.stack import Row
from beholden.engines.state import State
from tests.house import BEHOLDEN
from tests.pictures import path
from tests.stack import Real

LOOPBACK = ("0100007F:", "00000000000000000000000001000000:", "0000000000000000FFFF00000100007F:")
LISTENING = "0A"


def ask(real: Real, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BEHOLDEN, *arguments],
        cwd=real.folder,
        env=real.env,
        capture_output=True,
        text=True,
        check=False,
    )


def by_name(real: Real) -> dict[str, Row]:
    return {row.name: row for row in real.rows()}


def sockets(pid: int) -> set[str]:
    """The inodes of a process's sockets."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except OSError:
            continue
        if target.startswith("socket:["):
            found.add(target[8:-1])
    return found


def test_nothing_listens_but_on_loopback(real: Real) -> None:
    listening = {}
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            _, at, _, state, *rest = line.split()
            if state == LISTENING:
                listening[rest[5]] = at
    records = State(real.folder / "up").read().values()
    family = {member.pid for one in records for member in process._family(one.process)}
    ours = {at for pid in family for inode in sockets(pid) if (at := listening.get(inode))}
    assert len(ours) >= 9
    assert not [at for at in ours if not at.startswith(LOOPBACK)]


def test_status_says_how_each_is(real: Real) -> None:
    done = ask(real, "status", "--json")
    assert done.returncode == 0
    units = json.loads(done.stdout)["units"]
    assert [unit["kind"] for unit in units] == ["engine"] * 4 + ["service"] * (len(units) - 4)
    assert {unit["state"] for unit in units} == {"healthy"}
    assert all(unit["memory"] > 1_000_000 and unit["uptime"] > 0 for unit in units)


def test_up_again_changes_nothing(real: Real) -> None:
    before = {name: row.pid for name, row in by_name(real).items()}
    real.up()
    assert {name: row.pid for name, row in by_name(real).items()} == before


def test_the_command_line_finds_each_service(real: Real) -> None:
    picture = str(path("astronaut"))
    for arguments in (
        ("detect", picture, "--as", "daily-herald"),
        ("moderate", picture, "--as", "acme-platform"),
        ("policy", "status", "--as", "beholden-ops", "--role", "auditor"),
    ):
        done = ask(real, *arguments, "--server", "up", "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)


def test_without_its_policy_engine_every_call_is_refused_until_up_brings_it_back(
    real: Real,
) -> None:
    detect = ("detect", str(path("astronaut")), "--as", "daily-herald", "--server", "up")
    others = {name: row.pid for name, row in by_name(real).items() if name != "opa"}
    os.kill(by_name(real)["opa"].pid, signal.SIGKILL)
    while by_name(real)["opa"].state != "down":
        time.sleep(0.05)
    assert ask(real, *detect).returncode == 5
    assert ask(real, "status").returncode == 1
    real.up()
    assert ask(real, *detect).returncode == 0
    assert {name: row.pid for name, row in by_name(real).items() if name != "opa"} == others


def test_the_ledgers_password_is_in_no_log(real: Real) -> None:
    secret = (real.folder / "up" / "postgres" / "password").read_text().strip()
    logs = list((real.folder / "up" / "logs").iterdir())
    assert len(logs) >= 9
    assert not [log for log in logs if secret in log.read_text(errors="replace")]
    assert secret not in ask(real, "status", "--json").stdout
