"""A command's process ends after all was said and cleaned up, and before Python is taken apart."""

import os
import subprocess
import sys

SAYS = """
import atexit, os, sys, threading
from beholden.cli.ending import Ending

ending = Ending()
atexit.register(print, "cleaned up")

class Last:
    def __del__(self):
        os.write(1, b"taken apart")

last = Last()
worker = threading.Timer(0.05, print, ["worked"])
worker.start()
print("said")
"""


def ends(code: str) -> tuple[int, list[str]]:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", SAYS + code],
        env=buffered,
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode().splitlines()


def test_all_is_said_and_cleaned_up_before_it_leaves() -> None:
    assert ends("ending.code = 130") == (130, ["said", "worked", "cleaned up"])


def test_what_failed_unforeseen_ends_as_python_ends_it() -> None:
    assert ends("raise SystemExit(3)") == (3, ["said", "worked", "cleaned up", "taken apart"])


def test_what_can_be_written_no_more_is_a_failure() -> None:
    code, _ = ends("ending.code = 0; os.close(1); os.open('/dev/full', os.O_WRONLY)")
    assert code == 1
