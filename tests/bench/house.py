"""A server of its own for a benchmark: another process, a fresh folder, gone at the end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def house(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """`beholden serve all` over the embedded engines: its address, and the environment it has."""
    env = {
        **os.environ,
        "BEHOLDEN_LISTEN": "127.0.0.1:0",
        "BEHOLDEN_STORE_URL": f"file:{folder}/faces.db",
        "BEHOLDEN_LEDGER_URL": f"sqlite:///{folder}/ledger.db",
        "BEHOLDEN_MODEL_REPOSITORY": str(ROOT / "var" / "models"),
        "BEHOLDEN_GUARD__IDENTITY__KEY_FILE": f"{folder}/identity.key",
        "PYTHONUNBUFFERED": "1",
    }
    beholden = Path(sys.executable).parent / "beholden"
    with (
        (folder / "server.log").open("w") as log,
        subprocess.Popen(
            [beholden, "serve", "all"], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=log
        ) as server,
    ):
        try:
            assert server.stdout is not None
            for line in server.stdout:
                found = re.search(rb"127\.0\.0\.1:\d+", line)
                if found:
                    yield found.group().decode(), env
                    break
            else:
                raise RuntimeError((folder / "server.log").read_text()[-2000:])
        finally:
            server.terminate()
            server.wait(30)
