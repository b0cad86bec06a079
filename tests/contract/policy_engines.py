"""The policy engines that the contract tests run against, each with whatever law a test gives it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from beholden.core.ports import PolicyEngine
from beholden.policy.bundle import write_bundle
from beholden.policy.exchange import Exchange
from beholden.policy.law import Law, digest, load_law
from beholden.policy.opa import OpaEngine
from beholden.policy.rego import RegoEngine
from beholden.policy.settings import PolicySettings
from beholden.policy.tenants import load_tenants

ROOT = Path(__file__).resolve().parents[2]
POLICIES = ROOT / "policies"
ENGINES = ("rego", "opa-http", "opa-unix")
TENANTS = load_tenants(POLICIES / "tenants.yaml")
NOW = "2026-11-22T00:35:37Z"
NS = 1_795_307_737_000_000_000


def find_opa() -> Path | None:
    """The `opa` binary: the project's own, the Go toolchain's, or one on PATH."""
    on_path = shutil.which("opa")
    places = [ROOT / ".engines/bin/opa", Path.home() / "go/bin/opa"]
    places += [Path(on_path)] if on_path else []
    return next((place for place in places if place.is_file()), None)


def require_opa() -> Path:
    """The binary; without one the test is skipped, or fails where CI=true asks for every engine.

    BEHOLDEN_TESTS_WITHOUT=opa says that a CI does without it.
    """
    opa = find_opa()
    if opa is not None:
        return opa
    missing = "there is no opa: neither .engines/bin/opa, nor ~/go/bin/opa, nor on PATH"
    left_out = "opa" in os.environ.get("BEHOLDEN_TESTS_WITHOUT", "").split(",")
    if os.environ.get("CI") == "true" and not left_out:
        pytest.fail(missing)
    pytest.skip(missing)


@cache
def law() -> Law:
    """The law of policies/."""
    return load_law(POLICIES)


def changed(base: Law, **changes: Any) -> Law:
    """A law with other modules or data, and the revision that goes with them."""
    other = replace(base, **changes)
    return replace(other, revision=digest(other.modules, other.data))


def call(tenant: str = "daily-herald", action: str = "face.search", **facts: Any) -> dict[str, Any]:
    """The facts of a call as the guard gathers them."""
    return {
        "principal": {"id": "ann", "roles": []},
        "tenant": TENANTS[tenant].facts(),
        "action": action,
        "purpose": "",
        "jurisdiction": "",
        "on_behalf_of": "",
        "case": "",
        "evidence": {},
        "request": {"collection": "collections/staff", "max_results": 10},
        "time": {"now": NOW, "ns": NS},
        **facts,
    }


@contextmanager
def opa_server(bundle: Path, folder: Path, *, socket_file: bool) -> Iterator[str]:
    """A real OPA over `bundle`, ready; answers its URL and is killed afterwards."""
    url = f"unix://{folder / 'opa.sock'}" if socket_file else f"http://127.0.0.1:{_free_port()}"
    with opa_process(bundle, folder, url):
        yield url


@contextmanager
def opa_process(bundle: Path, folder: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """OPA's process at `url`, which takes up the bundle anew when its file changes."""
    with _running(url, folder, "--watch", "--bundle", bundle) as server:
        yield server


@contextmanager
def _running(url: str, folder: Path, *more: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    command: list[str | Path] = [require_opa(), "run", "--server"]
    command += ["--addr", url.removeprefix("http://")]
    command += ["--skip-version-check", "--log-level", "error", *more]
    log = folder / "opa.log"
    with log.open("ab") as file, subprocess.Popen(command, stderr=file) as server:
        try:
            _await_health(url, server, log)
            yield server
        finally:
            server.kill()


@contextmanager
def opa_following(configuration: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """A real OPA with this configuration, ready; answers its URL and is killed afterwards."""
    file = folder / "opa.json"
    file.write_text(json.dumps(configuration))
    url = f"unix://{folder / 'opa.sock'}"
    with _running(url, folder, "--config-file", file):
        yield url


@asynccontextmanager
async def opened(kind: str, law: Law, folder: Path, **settings: Any) -> AsyncIterator[PolicyEngine]:
    """An engine of `kind` with `law` in force, closed afterwards."""
    chosen = PolicySettings(**settings)
    if kind == "rego":
        rego = RegoEngine(lambda: law, chosen)
        await rego.reload()
        yield rego
        await rego.close()
        return
    # In a folder of its own: OPA reads all anew when anything is written beside it.
    (folder / "law").mkdir(exist_ok=True)
    bundle = folder / "law" / "bundle.tar.gz"
    write_bundle(law, bundle)
    with opa_server(bundle, folder, socket_file=kind == "opa-unix") as url:
        opa = OpaEngine(url, chosen)
        yield opa
        await opa.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_health(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    ask = Exchange(url, {}, 1)
    for _ in range(200):
        if server.poll() is not None:
            break
        try:
            if ask("GET", "/health?bundles=true", None)[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    pytest.fail(f"OPA does not come up: {log.read_text()[-2000:]}")
