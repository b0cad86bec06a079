"""NVIDIA Triton from the PyPI package nvidia-pytriton: the server itself, with its Python backend only."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from beholden.catalog import python_backend
from beholden.core.errors import FailedPrecondition
from beholden.core.models import ModelSpec
from beholden.engines import packages
from beholden.engines.engine import Found, missing
from beholden.engines.unit import Unit, environment, free_port

_REQUIREMENTS = Path(__file__).with_name("triton.requirements.txt")
_PYTHONS = ("3.12", "3.11")
"""Those that have both a backend stub and wheels of NumPy 1: the server reads NumPy 2's arrays wrong."""

_LIBRARY = """
import ctypes, sys, sysconfig
name = "libpython%d.%d.so.1.0" % sys.version_info[:2]
for place in (sysconfig.get_config_var("LIBDIR") + "/" + name, name):
    try:
        ctypes.CDLL(place)
    except OSError:
        continue
    print(place.removesuffix(name))
    break
else:
    sys.exit("error: no " + name)
"""
"""Prints the folder of the interpreter's own library, which the backend stub is linked to."""

_MOST_INSTANCES = 2
"""Of each model: a second one computes while the first waits for its tensors; each holds some 80 MB."""
_PORT = 8001


class Triton:
    """Implements `Engine`."""

    name = "triton"
    title = "NVIDIA Triton"
    pinned = "2.51.0"
    twin = "ONNX Runtime in process"

    def __init__(self, home: Path) -> None:
        self._folder = home / self.name

    def find(self) -> Found | None:
        """See `Engine.find`."""
        if not packages.installed(self._folder, _REQUIREMENTS):
            return None
        return Found(self.pinned, self._tree / "bin" / "tritonserver")

    def install(self) -> Found:
        """See `Engine.install`."""
        if (found := self.find()) is not None:
            return found
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            raise FailedPrecondition("its package is built for Linux on x86-64 only")
        packages.install(self._folder, _REQUIREMENTS, _python())
        return Found(self.pinned, self._tree / "bin" / "tritonserver")

    def unit(
        self, models: Sequence[ModelSpec], repository: Path, folder: Path, port: int | None = None
    ) -> Unit:
        """A server of `models`, whose ONNX files lie in `repository`; `folder` is its own.

        On loopback, at `port` or its usual one where that is free, else at any. Raises
        FailedPrecondition when it is not installed, OSError.
        """
        if (found := self.find()) is None:
            raise missing(self)
        cores = os.cpu_count() or 1
        instances = min(cores, _MOST_INSTANCES)
        threads = max(1, cores // instances)
        served = folder / "repository"
        python_backend.lay_out(models, repository, served, instances=instances, threads=threads)
        self._lay_out_backend(folder / "backends" / "python")
        prefix = "triton-" + hashlib.sha256(bytes(folder.resolve())).hexdigest()[:12]
        grpc = free_port(_PORT if port is None else port)
        http, metrics = (free_port(usual if port != 0 else 0) for usual in (8000, 8002))
        options = {
            "model-repository": served,
            "backend-directory": folder / "backends",
            "backend-config": f"python,shm-region-prefix-name={prefix}",
            "exit-timeout-secs": 5,
            "grpc-address": "127.0.0.1",
            "grpc-port": grpc,
            "http-address": "127.0.0.1",
            "http-port": http,
            "metrics-address": "127.0.0.1",
            "metrics-port": metrics,
        }
        return Unit(
            name=self.name,
            argv=[
                str(found.path),
                "--disable-auto-complete-config",
                *(f"--{name}={value}" for name, value in options.items()),
            ],
            address=f"grpc://127.0.0.1:{grpc}",
            health=f"http://127.0.0.1:{http}/v2/health/ready",
            env=environment(
                LD_LIBRARY_PATH=":".join(self._libraries()),
                PATH=f"{self._folder / 'bin'}:{os.environ.get('PATH', '')}",
                PYTHONPATH=str(self._site),
            ),
            folder=folder,
            leaves=f"/dev/shm/{prefix}*",  # noqa: S108 - where Linux keeps POSIX shared memory
        )

    @property
    def _site(self) -> Path:
        return next((self._folder / "lib").glob("python3.*")) / "site-packages"

    @property
    def _tree(self) -> Path:
        return self._site / "pytriton" / "tritonserver"

    def _libraries(self) -> list[str]:
        own = packages.run(
            [str(self._folder / "bin" / "python"), "-c", _LIBRARY], "Triton cannot run Python"
        )
        return [str(self._site / "nvidia_pytriton.libs"), *own.split()]

    def _lay_out_backend(self, target: Path) -> None:
        """The backend and the stub of its Python version in one folder, as the server wants them."""
        target.mkdir(parents=True, exist_ok=True)
        version = self._site.parent.name.removeprefix("python")
        for source in (
            *(self._tree / "backends" / "python").iterdir(),
            self._tree / "python_backend_stubs" / version / "triton_python_backend_stub",
        ):
            link = target / source.name
            link.unlink(missing_ok=True)
            link.symlink_to(source)


def _python() -> str:
    """An interpreter that the server can load. Raises FailedPrecondition."""
    own = "{}.{}".format(*sys.version_info[:2])
    candidates = [sys.executable] if own in _PYTHONS else []
    candidates += filter(None, (shutil.which(f"python{version}") for version in _PYTHONS))
    for candidate in candidates:
        try:
            packages.run([candidate, "-c", _LIBRARY], "no library")
        except FailedPrecondition:
            continue
        return candidate
    raise FailedPrecondition(
        f"its Python backend needs Python {' or '.join(_PYTHONS)} as a shared library",
        remedy="on Debian and Ubuntu: apt-get install libpython3.11 (or 3.12)",
    )
