"""moto, which speaks S3, in an environment of its own: it wants other versions than ours of some packages.

`python -m tests.moto` installs it.
"""

from pathlib import Path

from beholden.engines import packages
from tests.engines import HOME
from tests.house import ROOT


def installed() -> Path:
    """The Python that has it. Raises FailedPrecondition."""
    packages.install(HOME / "moto", ROOT / "tests" / "moto.requirements.txt")
    return HOME / "moto" / "bin" / "python"


if __name__ == "__main__":
    installed()
