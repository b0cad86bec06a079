"""The run over many pictures: past bad ones, a bounded number in flight, and no count lost."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from beholden.cli import many
from beholden.cli.client import Answer
from beholden.cli.failures import ExitCode, Failure
from beholden.v1 import search_pb2

Result = Answer[search_pb2.IndexFacesResponse] | Failure
FILES = [Path(f"{number}.jpg") for number in range(40)]


def answer() -> Result:
    return Answer(search_pb2.IndexFacesResponse(), "d")


def silent(file: Path, result: Result) -> None:
    """Tells nobody."""


def run(
    files: Sequence[Path],
    enrol: Callable[[Path], Result],
    jobs: int,
    tell: Callable[[Path, Result], None] = silent,
) -> many.Tally[search_pb2.IndexFacesResponse]:
    tally: many.Tally[search_pb2.IndexFacesResponse] = many.Tally(len(files))
    many.run(files, enrol, jobs, tell, tally)
    return tally


def test_goes_on_past_bad_pictures() -> None:
    bad = Failure("damaged", "INVALID_ARGUMENT", fields=(("image.content", "is damaged"),))
    told: list[Path] = []
    tally = run(
        FILES,
        lambda file: bad if file in FILES[::4] else answer(),
        3,
        lambda file, _: told.append(file),
    )
    assert tally.pictures == len(FILES)
    assert sorted(file for file, _ in tally.failed) == sorted(FILES[::4])
    assert sorted(told) == sorted(FILES)
    assert tally.exit_code is ExitCode.FAILED


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("PERMISSION_DENIED", ExitCode.REFUSED),
        ("UNAUTHENTICATED", ExitCode.UNAUTHENTICATED),
        ("UNAVAILABLE", ExitCode.UNAVAILABLE),
        ("NOT_FOUND", ExitCode.FAILED),
    ],
)
def test_ends_with_what_every_picture_would_meet(status: str, code: ExitCode) -> None:
    tally = run(FILES, lambda file: Failure("no", status) if file == FILES[5] else answer(), 2)
    assert tally.pictures < 10
    assert tally.ended_by is not None
    assert tally.exit_code is code


def test_a_wrong_option_ends_it_too() -> None:
    wrong = Failure("no", "INVALID_ARGUMENT", fields=(("external_image_id", "must be ..."),))
    tally = run(FILES, lambda _: wrong, 2)
    assert tally.pictures <= 2
    assert tally.exit_code is ExitCode.USAGE


def test_no_more_in_flight_than_asked() -> None:
    inside = most = 0
    lock = threading.Lock()
    gate = threading.Barrier(4, timeout=20)

    def enrol(_: Path) -> Result:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        gate.wait()
        with lock:
            inside -= 1
        return answer()

    run(FILES, enrol, 4)
    assert most == 4


def test_ctrl_c_finishes_what_is_in_flight_and_begins_nothing_more() -> None:
    before = signal.getsignal(signal.SIGINT)
    begun: list[Path] = []

    def enrol(file: Path) -> Result:
        begun.append(file)
        if file == FILES[6]:
            os.kill(os.getpid(), signal.SIGINT)
        return answer()

    tally = run(FILES, enrol, 2)
    assert tally.interrupted
    assert FILES[6] in begun
    assert tally.pictures == len(begun)
    assert len(begun) < len(FILES)
    assert tally.exit_code is ExitCode.INTERRUPTED
    assert signal.getsignal(signal.SIGINT) is before
