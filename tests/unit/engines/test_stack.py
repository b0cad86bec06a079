"""Ranks start in order and healthy, what runs is kept, what fails takes only its own along."""

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from beholden.core.errors import FailedPrecondition
from beholden.engines import process
from beholden.engines.stack import ENGINE, SERVICE, Row, Stack, Step
from beholden.engines.state import State
from beholden.engines.unit import Unit, environment, free_port

SERVER = """
import http.server, sys
http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind="127.0.0.1")
"""
BROKEN = "import sys; sys.exit('error: no such luck')"


class House:
    """A stack of small HTTP servers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stack = Stack(folder)
        self.told: dict[str, dict[str, str]] = {}
        self.refreshed = 0
        self.seen: list[dict[str, str]] = []

    def step(self, name: str, kind: str, code: str = SERVER, **env: str) -> Step:
        def build(addresses: dict[str, str], before: str | None) -> Unit:
            self.told[name] = dict(addresses)
            port = int(before.rpartition(":")[2]) if before else free_port()
            return Unit(
                name=name,
                argv=[sys.executable, "-c", code, str(port)],
                address=f"http://user:s3cret@127.0.0.1:{port}",
                health=f"http://127.0.0.1:{port}/",
                env=environment(**env),
                folder=self.folder,
                patience=30,
                leaves=str(self.folder / "left-*"),
            )

        return Step(name, kind, build, self._refresh)

    def up(self, **env: str) -> None:
        plan = [
            [self.step("one", ENGINE), self.step("two", ENGINE)],
            [self.step("three", SERVICE, **env)],
        ]
        self.stack.up(plan, self._progress)

    def rows(self) -> dict[str, Row]:
        return {row.name: row for row in self.stack.rows()}

    def pids(self) -> dict[str, int]:
        return {name: row.pid for name, row in self.rows().items()}

    def _refresh(self) -> None:
        self.refreshed += 1

    def _progress(self, rows: list[Row]) -> None:
        self.seen.append({row.name: row.state for row in rows})


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.stack.down()


def kill(house: House, name: str) -> None:
    record = State(house.folder).read()[name]
    process.end({record.process: signal.SIGKILL}, 10)


def test_one_rank_is_healthy_before_the_next_begins(house: House) -> None:
    house.up()
    rows = house.rows()
    assert list(rows) == ["one", "two", "three"]
    assert {row.state for row in rows.values()} == {"healthy"}
    assert all(row.memory > 1_000_000 and row.uptime > 0 for row in rows.values())
    assert house.told["three"].keys() == {"one", "two"}
    begun = next(states for states in house.seen if "three" in states)
    assert begun["one"] == begun["two"] == "healthy"


def test_passwords_are_in_no_row_and_nobody_else_may_read_the_state(house: House) -> None:
    house.up()
    assert "s3cret" in (house.folder / "state.json").read_text()
    assert "s3cret" not in repr(house.rows())
    assert (house.folder / "state.json").stat().st_mode & 0o077 == 0


def test_what_runs_is_kept(house: House) -> None:
    house.up()
    before = house.pids()
    house.up()
    assert house.pids() == before
    assert house.refreshed == 2


def test_what_was_killed_is_started_again_where_it_was_and_nothing_else(house: House) -> None:
    house.up()
    before = house.rows()
    kill(house, "one")
    assert house.rows()["one"].state == "down"
    house.up()
    after = house.rows()
    assert {name for name in after if after[name].pid != before[name].pid} == {"one"}
    assert after["one"].address == before["one"].address


def test_a_service_is_started_anew_when_its_settings_changed(house: House) -> None:
    house.up()
    before = house.pids()
    house.up(BEHOLDEN_LISTEN="elsewhere")
    changed = {name for name, pid in house.pids().items() if before[name] != pid}
    assert changed == {"three"}
    house.up(BEHOLDEN_LISTEN="elsewhere", TERM="dumb")
    assert house.pids() != before
    assert {n for n, pid in house.pids().items() if before[n] != pid} == {"three"}


def test_one_that_fails_takes_along_what_was_begun_with_it_and_says_why(house: House) -> None:
    house.up()
    before = house.pids()
    plan = [
        [house.step("one", ENGINE), house.step("four", ENGINE)],
        [house.step("five", ENGINE, BROKEN)],
    ]
    with pytest.raises(FailedPrecondition, match=r"(?s)five ended at once.*no such luck") as failed:
        house.stack.up(plan)
    assert "logs/five.log" in str(failed.value)
    assert house.pids() == before
    assert {row.state for row in house.rows().values()} == {"healthy"}


def test_one_that_is_not_healthy_in_time_is_not_waited_for_for_ever(house: House) -> None:
    def deaf(addresses: object, before: object) -> Unit:
        argv = [sys.executable, "-c", "import time; print('deaf', flush=True); time.sleep(600)"]
        nowhere = f"http://127.0.0.1:{free_port()}/"
        return Unit("deaf", argv, nowhere, nowhere, environment(), house.folder, patience=0.5)

    with pytest.raises(FailedPrecondition, match="did not become healthy in time"):
        house.stack.up([[Step("deaf", ENGINE, deaf)]])
    assert not house.rows()


def test_being_interrupted_ends_what_was_begun(house: House) -> None:
    def interrupt(rows: object) -> None:
        raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        house.stack.up([[house.step("one", ENGINE)]], interrupt)
    assert not house.rows()


def test_what_a_killed_one_left_behind_is_removed(house: House) -> None:
    house.up()
    left = house.folder / "left-behind"
    left.touch()
    house.up()
    assert left.exists()
    kill(house, "one")
    house.up()
    assert not left.exists()
    left.touch()
    house.stack.down()
    assert not left.exists()


def test_down_ends_only_what_up_began(house: House) -> None:
    house.up()
    document = json.loads((house.folder / "state.json").read_text())
    other = document["units"][0]
    theirs = process.Identity(**other["process"])
    other["process"]["started"] -= 1  # as if the number had been given to another since
    (house.folder / "state.json").write_text(json.dumps(document))
    assert house.stack.down() == ["two", "three"]
    assert process.alive(theirs)
    process.end({theirs: signal.SIGTERM}, 10)
    assert house.stack.down() == []


def test_two_at_once_do_not_mix(house: House) -> None:
    inside, go = threading.Event(), threading.Event()

    def hold(rows: object) -> None:
        inside.set()
        go.wait(30)

    first = threading.Thread(target=lambda: house.stack.up([[house.step("one", ENGINE)]], hold))
    first.start()
    assert inside.wait(30)
    with pytest.raises(FailedPrecondition, match="at work"):
        Stack(house.folder).down()
    go.set()
    first.join()
    assert house.rows()["one"].state == "healthy"


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 99, "units": []}'])
def test_a_state_that_is_not_ours_is_not_guessed_at(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(FailedPrecondition, match=r"state\.json cannot be understood"):
        Stack(tmp_path).down()
    assert (tmp_path / "state.json").read_text() == text
