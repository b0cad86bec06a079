"""The memory of the process that listens at an address of this machine."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

_LISTENS = "0A"


def resident(url: str) -> int:
    """Bytes of physical memory of whoever listens at `url`'s port here and what they started, or 0."""
    port = urlsplit(url).port
    inodes = {
        f"socket:[{fields[9]}]"
        for table in ("tcp", "tcp6")
        for fields in map(str.split, Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port
    }
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(one.readlink()) in inodes for one in (process / "fd").iterdir()):
                return _pages(process) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            continue
    return 0


def _pages(process: Path) -> int:
    """A process's and those of all that it started: who listens may only carry on to who answers."""
    children = " ".join(one.read_text() for one in (process / "task").glob("*/children")).split()
    own = int((process / "statm").read_text().split()[1])
    return own + sum(_pages(process.parent / child) for child in children)
