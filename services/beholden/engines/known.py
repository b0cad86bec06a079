"""The engines that there are, and who may install them at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from beholden.core.errors import InvalidArgument
from beholden.engines.engine import Engine
from beholden.engines.milvus import Milvus
from beholden.engines.opa import Opa
from beholden.engines.postgres import Postgres
from beholden.engines.triton import Triton


def known(home: Path, names: Collection[str] = ()) -> tuple[Engine, ...]:
    """The engines called `names`, or all of them; `home` is where they are installed.

    Raises InvalidArgument for a name that is no engine's.
    """
    home = home.resolve()
    every: tuple[Engine, ...] = (Triton(home), Milvus(home), Opa(home), Postgres())
    there = [engine.name for engine in every]
    for name in names:
        if name not in there:
            raise InvalidArgument("engine", f"{name!r} is none of {', '.join(there)}")
    return tuple(engine for engine in every if not names or engine.name in names)


@contextmanager
def installing(home: Path) -> Iterator[None]:
    """Holds `home`, waiting for whoever is installing into it already."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
