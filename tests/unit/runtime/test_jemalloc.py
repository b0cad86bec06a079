"""A server starts anew over jemalloc where there is one, and anything else stays as it is."""

import os
import subprocess
import sys

import pytest

from beholden.runtime.jemalloc import library
from tests.pictures import missing

PROGRAM = """
import os, sys
from beholden.runtime.jemalloc import start_over_jemalloc
start_over_jemalloc()
print("jemalloc" in open("/proc/self/maps").read(), os.environ.get("MALLOC_CONF"), *sys.argv[1:])
"""


def said(*arguments: str, **env: str) -> list[str]:
    kept = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env={**kept, "PYTHONPATH": os.pathsep.join(sys.path), **env},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return done.stdout.split()


@pytest.fixture
def _jemalloc() -> None:
    if library() is None:
        missing("jemalloc is not installed: run `make engines`")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="nothing is preloaded here")
@pytest.mark.usefixtures("_jemalloc")
def test_it_is_there_and_the_command_is_the_same() -> None:
    there, conf, *arguments = said("serve", "--listen", "127.0.0.1:0")
    assert there == "True"
    assert "background_thread:true" in conf
    assert arguments == ["serve", "--listen", "127.0.0.1:0"]
    assert said(MALLOC_CONF="narenas:2")[:2] == ["True", "narenas:2"]


def test_who_chose_another_keeps_it() -> None:
    assert said(LD_PRELOAD="")[:2] == ["False", "None"]
