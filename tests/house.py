"""A whole Beholden for tests and benchmarks: its own process, a fresh folder, gone at the end."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import grpc
import yaml

from beholden.cli import main
from beholden.guard import tokens
from beholden.guard.keys import read_keys

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "var" / "models"
BEHOLDEN = Path(sys.executable).parent / "beholden"
LOG = "server.log"

# A server is imported once and forked as often as one is needed, which spares each two seconds.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["beholden.cli.run", "beholden.runtime.server", "tests.house"])


@dataclass(frozen=True, slots=True)
class House:
    """A running server: where it listens, the environment it has, its folder and its process."""

    address: str
    env: Mapping[str, str]
    folder: Path
    process: BaseProcess

    def channel(self) -> grpc.Channel:
        """A channel to it, to be closed by the caller."""
        return grpc.insecure_channel(self.address)

    def headers(self, tenant: str, purpose: str = "", **who: Any) -> list[tuple[str, str]]:
        """A call's metadata: a token of `tenant`, and the declared purpose."""
        key_file = Path(self.env["BEHOLDEN_GUARD__IDENTITY__KEY_FILE"])
        return headers(key_file, tenant, purpose, **who)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self.process.kill()
        self.process.join(30)


def headers(
    key_file: Path,
    tenant: str,
    purpose: str = "",
    *,
    principal: str = "tester",
    roles: Sequence[str] = (),
) -> list[tuple[str, str]]:
    """A call's metadata: a token of `tenant`, signed with the key of a server, and the purpose."""
    key = read_keys(key_file).signing()
    token = tokens.mint(key, principal=principal, tenant=tenant, roles=roles)
    said = [("beholden-purpose", purpose)] if purpose else []
    return [("authorization", f"Bearer {token}"), *said]


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """A server's over the embedded engines, its data under `folder`; `settings` as BEHOLDEN_*."""
    return {
        **os.environ,
        "BEHOLDEN_LISTEN": "127.0.0.1:0",
        "BEHOLDEN_STORE_URL": f"file:{folder}/faces.db",
        "BEHOLDEN_LEDGER_URL": f"sqlite:///{folder}/ledger.db",
        "BEHOLDEN_LEDGER__KEY_FILE": f"{folder}/ledger.key",
        "BEHOLDEN_REVIEWS__KEY_FILE": f"{folder}/reviews.key",
        "BEHOLDEN_JOBS__KEY_FILE": f"{folder}/jobs.key",
        "BEHOLDEN_VIDEO__SPOOL": f"{folder}/spool",
        "BEHOLDEN_MODEL_REPOSITORY": str(MODELS),
        "BEHOLDEN_GUARD__IDENTITY__KEY_FILE": f"{folder}/identity.key",
        **{f"BEHOLDEN_{name}": value for name, value in settings.items()},
    }


@contextmanager
def house(folder: Path, services: Sequence[str] = ("all",), **settings: str) -> Iterator[House]:
    """Serves over the embedded engines with their data under `folder`; `settings` as BEHOLDEN_*."""
    env = environment(folder, **settings)
    reader, writer = _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(target=_serve, args=(services, env, folder, writer), daemon=True)
    process.start()
    writer.close()
    try:
        yield House(_address(reader, folder / LOG), env, folder, process)
    finally:
        process.terminate()
        process.join(30)
        process.kill()


def registry(folder: Path, **moderation: Mapping[str, Any]) -> Path:
    """The project's tenants in a file of their own, some with `moderation`, by id with `_` for `-`."""
    known = yaml.safe_load((ROOT / "policies" / "tenants.yaml").read_text())
    for tenant in known["tenants"]:
        if own := moderation.get(tenant["id"].replace("-", "_")):
            tenant["moderation"] = own
    path = folder / "tenants.yaml"
    path.write_text(yaml.safe_dump(known))
    return path


def law_of_emotions(folder: Path, purpose: str, kind: str) -> str:
    """The URL of the project's policies in a folder of their own, which let emotions be asked for."""
    law = folder / "policies"
    shutil.copytree(ROOT / "policies", law)
    place = law / "law" / "redaction" / "data.json"
    entries = json.loads(place.read_text())
    entries["attributes"]["FACE_ATTRIBUTE_EMOTIONS"]["purposes"] = {purpose: [kind]}
    place.write_text(json.dumps(entries))
    return f"file:{law}"


def _serve(services: Sequence[str], env: Mapping[str, str], folder: Path, told: Connection) -> None:
    """`beholden serve`, in a process that was forked when all was imported."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(folder)
    os.dup2(told.fileno(), sys.stdout.fileno())
    with (folder / LOG).open("a") as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.exit(main(["serve", *services]))


def _address(told: Connection, log: Path) -> str:
    with open(told.fileno(), "rb", closefd=False) as lines:
        for line in lines:
            if found := re.search(rb"127\.0\.0\.1:\d+", line):
                return found.group().decode()
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-2000:]}")
