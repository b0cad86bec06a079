"""Keeps the C library from holding on to the memory that pictures took."""

from __future__ import annotations

import ctypes
import sys

# glibc's malloc.h.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
_LARGE = 256 * 1024
_ARENAS = 2


def give_back() -> None:
    """Has what is larger than 256 KiB mapped by itself, so that it goes back when it is freed.

    Left alone, glibc raises that limit to 32 MiB as pictures are freed and takes them out of one heap
    a thread, which pictures of ever other sizes leave in pieces (mallopt(3), malloc_trim(3)).
    Elsewhere than on glibc nothing is done.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    mallopt(_MMAP_THRESHOLD, _LARGE)
    mallopt(_ARENA_MAX, _ARENAS)
