"""A whole Beholden for tests and benchmarks: its own process, a fresh folder, gone at the end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import yaml

from beholden.guard import tokens
from beholden.guard.keys import read_keys

ROOT = Path(__file__).resolve().parents[1]
MODELS = ROOT / "var" / "models"
BEHOLDEN = Path(sys.executable).parent / "beholden"


@dataclass(frozen=True, slots=True)
class House:
    """A running server: where it listens, the environment it has, its folder and its process."""

    address: str
    env: Mapping[str, str]
    folder: Path
    process: subprocess.Popen[bytes]

    def channel(self) -> grpc.Channel:
        """A channel to it, to be closed by the caller."""
        return grpc.insecure_channel(self.address)

    def headers(self, tenant: str, purpose: str = "", **who: Any) -> list[tuple[str, str]]:
        """A call's metadata: a token of `tenant`, and the declared purpose."""
        key_file = Path(self.env["BEHOLDEN_GUARD__IDENTITY__KEY_FILE"])
        return headers(key_file, tenant, purpose, **who)

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)


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


@contextmanager
def house(folder: Path, services: Sequence[str] = ("all",), **settings: str) -> Iterator[House]:
    """Serves over the embedded engines with their data under `folder`; `settings` as BEHOLDEN_*."""
    env = {
        **os.environ,
        "BEHOLDEN_LISTEN": "127.0.0.1:0",
        "BEHOLDEN_STORE_URL": f"file:{folder}/faces.db",
        "BEHOLDEN_LEDGER_URL": f"sqlite:///{folder}/ledger.db",
        "BEHOLDEN_LEDGER__KEY_FILE": f"{folder}/ledger.key",
        "BEHOLDEN_REVIEWS__KEY_FILE": f"{folder}/reviews.key",
        "BEHOLDEN_MODEL_REPOSITORY": str(MODELS),
        "BEHOLDEN_GUARD__IDENTITY__KEY_FILE": f"{folder}/identity.key",
        "PYTHONUNBUFFERED": "1",
        **{f"BEHOLDEN_{name}": value for name, value in settings.items()},
    }
    log = folder / "server.log"
    with (
        log.open("a") as errors,
        subprocess.Popen(
            [BEHOLDEN, "serve", *services],
            cwd=folder,
            env=env,
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as process,
    ):
        try:
            yield House(_address(process, log), env, folder, process)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(30)


def registry(folder: Path, **moderation: Mapping[str, Any]) -> Path:
    """The project's tenants in a file of their own, some with `moderation`, by id with `_` for `-`."""
    known = yaml.safe_load((ROOT / "policies" / "tenants.yaml").read_text())
    for tenant in known["tenants"]:
        if own := moderation.get(tenant["id"].replace("-", "_")):
            tenant["moderation"] = own
    path = folder / "tenants.yaml"
    path.write_text(yaml.safe_dump(known))
    return path


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(rb"127\.0\.0\.1:\d+", line):
            return found.group().decode()
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-2000:]}")
