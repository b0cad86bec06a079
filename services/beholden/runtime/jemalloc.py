"""Starts this program anew over jemalloc, where the machine has it."""

from __future__ import annotations

import os
import sys
from ctypes.util import find_library
from pathlib import Path

_PRELOAD = "LD_PRELOAD"
# What nothing has taken for five seconds goes back to the system, without waiting for the next call.
_CONF = "dirty_decay_ms:5000,muzzy_decay_ms:0,background_thread:true"


def start_over_jemalloc() -> None:
    """Replaces this process by the same command with jemalloc in the C library's place, or returns.

    Pictures of ever other sizes leave glibc's heap in pieces, which it cannot give back; jemalloc's
    stays as large as what is worked on. It has to be there before anything is allocated, hence the new
    start: same arguments, same process id. Who sets LD_PRELOAD, be it to nothing, has chosen already.
    It is taken from the Python environment's own libraries, or from the system's.
    """
    if not sys.platform.startswith("linux") or _PRELOAD in os.environ:
        return
    if found := library():
        chosen = {_PRELOAD: found, "MALLOC_CONF": os.environ.get("MALLOC_CONF", _CONF)}
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **chosen})  # noqa: S606 - ourselves


def library() -> str | None:
    """Where jemalloc is: a path, or a name that the loader knows."""
    own = Path(sys.prefix) / "lib" / "libjemalloc.so.2"
    return str(own) if own.exists() else find_library("jemalloc")
