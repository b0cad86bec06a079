"""Beholden on one machine: which engines, then which services over them, and where each answers."""

from __future__ import annotations

import json
import os
import stat
import sys
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from beholden.catalog.entries import load_catalog
from beholden.catalog.repository import available
from beholden.core.errors import FailedPrecondition
from beholden.core.models import ModelSpec
from beholden.engines.known import known
from beholden.engines.milvus import Milvus
from beholden.engines.opa import Opa
from beholden.engines.postgres import Postgres
from beholden.engines.stack import ENGINE, SERVICE, Step
from beholden.engines.triton import Triton
from beholden.engines.unit import Unit, free_port
from beholden.guard.keys import create_key_file
from beholden.runtime.needs import SERVICES
from beholden.runtime.settings import Settings

_URLS = {
    Triton.name: "BEHOLDEN_INFERENCE_URL",
    Milvus.name: "BEHOLDEN_STORE_URL",
    Opa.name: "BEHOLDEN_POLICY_URL",
    Postgres.name: "BEHOLDEN_LEDGER_URL",
}
_SHARED, _SHARED_MIB = "BEHOLDEN_INFERENCE__SHARED_MEMORY", "256"
_FIRST_PORT = 50051
_LONGEST = 90
"""Bytes of a folder's name up to which a unix socket fits in it: its path holds 107."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What `beholden up` is to start under `folder`, over the engines in `home`.

    In place of the engines in `without` the services take what the settings say, by default the
    embedded twins. `expose_milvus` lets Milvus listen on every interface.
    """

    settings: Settings
    home: Path
    folder: Path
    without: Collection[str] = ()
    expose_milvus: bool = False

    def steps(self) -> list[list[Step]]:
        """The ranks: engines, then services. Raises FailedPrecondition for an engine that is not there."""
        home, folder = self.home.resolve(), self.folder.resolve()
        triton, milvus, opa = Triton(home), Milvus(home), Opa(home)
        socket = _socket(folder)
        steps = {
            Postgres.name: Step(
                Postgres.name,
                ENGINE,
                lambda _, before: Postgres().unit(folder / Postgres.name, _port(before)),
            ),
            Milvus.name: Step(
                Milvus.name,
                ENGINE,
                lambda _, before: milvus.unit(
                    folder / Milvus.name, _port(before), exposed=self.expose_milvus
                ),
            ),
            Opa.name: Step(
                Opa.name,
                ENGINE,
                lambda *_: opa.unit(self._policies(), folder / Opa.name, socket),
                lambda: opa.bundle(self._policies(), folder / Opa.name),
            ),
            Triton.name: Step(
                Triton.name,
                ENGINE,
                lambda _, before: triton.unit(
                    self._models(),
                    self.settings.model_repository,
                    folder / Triton.name,
                    _port(before),
                ),
            ),
        }
        known(home, self.without)
        wanted = [step for name, step in steps.items() if name not in self.without]
        absent = [e for e in known(home) if e.name not in self.without and not e.find()]
        if absent:
            names = ", ".join(engine.title for engine in absent)
            options = " ".join(f"--without {engine.name}" for engine in absent)
            raise FailedPrecondition(
                f"not installed: {names}",
                remedy=f"run: beholden engines install; or go on with their embedded twins: {options}",
            )
        self._make_key()
        services = [
            Step(name, SERVICE, partial(self._service, name, _FIRST_PORT + number))
            for number, name in enumerate(SERVICES)
        ]
        return [wanted, services]

    def _service(
        self, name: str, port: int, addresses: Mapping[str, str], before: str | None
    ) -> Unit:
        address = before or f"127.0.0.1:{free_port(port)}"
        used = {name: at for name, at in addresses.items() if name not in self.without}
        urls = {setting: used[engine] for engine, setting in _URLS.items() if engine in used}
        shared = {_SHARED: _SHARED_MIB} if Triton.name in used else {}
        return Unit(
            name=name,
            argv=[sys.executable, "-m", "beholden.cli", "serve", name, "--listen", address],
            address=address,
            health=f"grpc://{address}",
            env={**shared, **os.environ, **urls},
            folder=Path.cwd(),
        )

    def _models(self) -> list[ModelSpec]:
        catalog = load_catalog(self.settings.catalog)
        found = (available(catalog, self.settings.model_repository, role) for role in catalog.roles)
        return [model for model in found if model is not None]

    def _policies(self) -> Path:
        parts = urlsplit(self.settings.policy_url)
        if parts.scheme != "file":
            raise FailedPrecondition(
                "BEHOLDEN_POLICY_URL names no folder of policies for OPA to serve",
                remedy="unset it, or add --without opa",
            )
        return Path(url2pathname(parts.path))

    def _make_key(self) -> None:
        """The development key, before every service would make its own."""
        identity = self.settings.guard.identity
        if not identity.jwks_url and not identity.key_file.exists():
            create_key_file(identity.key_file)


def write_endpoints(folder: Path, addresses: Mapping[str, str]) -> None:
    """Says which service answers where, for clients: full gRPC names to host:port."""
    endpoints = {f"beholden.v1.{name.capitalize()}Service": at for name, at in addresses.items()}
    if "video" in addresses:
        endpoints["google.longrunning.Operations"] = addresses["video"]
    fresh = folder / "endpoints.new"
    fresh.write_text(json.dumps(endpoints, indent=1) + "\n")
    fresh.replace(folder / "endpoints.json")


def _port(before: str | None) -> int | None:
    """The port of last time, so that whoever knows it need not be told another."""
    return urlsplit(before).port if before else None


def _socket(folder: Path) -> Path:
    """Where OPA listens: in `folder`, or in one of ours alone whose name is shorter."""
    if len(bytes(folder)) < _LONGEST:
        return folder / "opa.sock"
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    made = base / f"beholden-{os.getuid()}-{sha256(bytes(folder)).hexdigest()[:8]}"
    made.mkdir(mode=0o700, exist_ok=True)
    status = made.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise FailedPrecondition(f"{made} is not ours alone", remedy="delete it")
    return made / "opa.sock"
