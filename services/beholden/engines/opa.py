"""Open Policy Agent: the `opa` on this machine, or one built with the Go toolchain."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from beholden.core.errors import FailedPrecondition
from beholden.engines import packages
from beholden.engines.engine import Found, missing
from beholden.engines.unit import Unit, environment
from beholden.policy.bundle import write_bundle
from beholden.policy.open import read_law

_MODULE = "github.com/open-policy-agent/opa"
_VERSION = re.compile(r"^Version: (\d+)\.(\d+)\.(\d+)$", re.MULTILINE)


class Opa:
    """Implements `Engine`."""

    name = "opa"
    title = "Open Policy Agent"
    pinned = "1.21.1"
    twin = "Rego in process"

    def __init__(self, home: Path) -> None:
        self._bin = home / "bin"

    def find(self) -> Found | None:
        """See `Engine.find`: our own before another; none that is older than ours."""
        gopath = os.environ.get("GOPATH") or Path.home() / "go"
        path = os.pathsep.join([str(self._bin), os.environ.get("PATH", ""), f"{gopath}/bin"])
        binary = shutil.which(self.name, path=path)
        if binary is None:
            return None
        said = _VERSION.search(packages.run([binary, "version"], "opa does not run"))
        if said is None or tuple(map(int, said.groups())) < _numbers(self.pinned):
            return None
        return Found(".".join(said.groups()), Path(binary))

    def install(self) -> Found:
        """See `Engine.install`."""
        if (found := self.find()) is not None:
            return found
        go = shutil.which("go")
        if go is None:
            raise FailedPrecondition(
                f"there is no opa {self.pinned} or newer in PATH, and no Go to build it with",
                remedy="install either",
            )
        self._bin.mkdir(parents=True, exist_ok=True)
        packages.run(
            [go, "install", f"{_MODULE}@v{self.pinned}"],
            "opa cannot be built",
            env={**os.environ, "GOBIN": str(self._bin.resolve()), "CGO_ENABLED": "0"},
        )
        if (found := self.find()) is None:
            raise FailedPrecondition(f"the opa that was built in {self._bin} does not run")
        return found

    def unit(self, policies: Path, folder: Path, socket: Path) -> Unit:
        """A server of the law in `policies` at the unix `socket`; what `bundle` writes is taken up.

        Raises FailedPrecondition when it is not installed, and for malformed law.
        """
        if (found := self.find()) is None:
            raise missing(self)
        socket.unlink(missing_ok=True)
        return Unit(
            name=self.name,
            argv=[
                *(str(found.path), "run", "--server", "--addr", f"unix://{socket}"),
                *("--log-level", "error", "--skip-version-check", "--watch", "--bundle"),
                str(self.bundle(policies, folder)),
            ],
            address=f"unix://{socket}",
            health=f"unix://{socket}?path=/health?bundles",
            env=environment(),
            folder=folder,
        )

    def bundle(self, policies: Path, folder: Path) -> Path:
        """Writes the law as the bundle that a server of `folder` serves; a running one takes it up."""
        folder.mkdir(parents=True, exist_ok=True)
        bundle = folder / "law.tar.gz"
        fresh = folder / "law.new"
        write_bundle(read_law(policies), fresh)
        fresh.replace(bundle)
        return bundle


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
