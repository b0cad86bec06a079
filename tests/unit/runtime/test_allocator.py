"""Freed pictures leave the process, though something small was allocated after them."""

import os
import platform
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, sys, time
from contextlib import nullcontext
import numpy as np
from beholden.runtime.allocator import trimmed

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096

async def main():
    async with trimmed(0.01) if sys.argv[1] == "given back" else nullcontext():
        # The first large array that is freed teaches glibc to take the next ones out of its heap.
        np.ones(20 << 20, np.uint8)
        before, kept, pictures = resident(), [], []
        for _ in range(100):
            pictures.append(np.ones(1 << 20, np.uint8))
            kept.append(np.ones(1 << 12, np.uint8))
        pictures.clear()
        deadline = time.monotonic() + 10
        while sys.argv[1] == "given back" and time.monotonic() < deadline:
            if resident() - before < 20 << 20:
                break
            await asyncio.sleep(0.01)
        print((resident() - before) >> 20)

asyncio.run(main())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
@pytest.mark.parametrize(("how", "least", "most"), [("kept", 80, 200), ("given back", -40, 20)])
def test_what_was_freed_is_given_back(how: str, least: int, most: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert least <= int(done.stdout) <= most
