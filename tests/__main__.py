"""`make test`: pytest, with a Milvus and a PostgreSQL of its own beside it where they are installed.

Arguments are pytest's. BEHOLDEN_TEST_MILVUS and BEHOLDEN_TEST_POSTGRES name servers to use instead.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack

from beholden.engines.known import known
from beholden.engines.milvus import Milvus
from beholden.engines.postgres import Postgres
from tests.engines import HOME, running
from tests.stack import folder

SERVERS = {Milvus.name: "BEHOLDEN_TEST_MILVUS", Postgres.name: "BEHOLDEN_TEST_POSTGRES"}


def main(arguments: list[str]) -> int:
    """pytest's exit status; 1 where CI=true and an engine is not installed."""
    env = dict(os.environ)
    with ExitStack() as stack:
        place = stack.enter_context(folder())
        for name, variable in SERVERS.items():
            if env.get(variable):
                continue
            engine = known(HOME, [name])[0]
            if engine.find() is None:
                print(f"{engine.title} is not installed, its tests are left out: `make engines`")
                if env.get("CI") == "true":
                    return 1
                continue
            unit = engine.unit(place / name)
            stack.enter_context(running(unit, place / f"{name}.log"))
            env[variable] = unit.address
        return subprocess.call([sys.executable, "-m", "pytest", *arguments], env=env)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
