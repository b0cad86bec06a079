"""The sidecar as the manifests start it: a real OPA on a unix socket that takes signed law only."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from beholden.engines.unit import Unit, environment, free_port
from beholden.policy.bundle import bundle_files, write_bundle
from beholden.policy.open import open_policy, read_law
from beholden.policy.signing import read_key, sign
from tests.engines import needs, running
from tests.pictures import ROOT


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """A test's output is its own."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def key(folder: Path, name: str) -> Path:
    """Makes a private key, and its public half in NAME.pub."""
    private = ec.generate_private_key(ec.SECP256R1())
    path = folder / name
    path.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    path.with_suffix(".pub").write_bytes(
        private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return path


async def test_law_that_another_key_has_signed_is_not_taken(rendered: Any, tmp_path: Path) -> None:
    binary = needs("opa").find().path
    documents = rendered("dev")
    pod = next(
        one["spec"]["template"]["spec"]
        for one in documents
        if one["kind"] == "Deployment" and one["metadata"]["name"] == "beholden-search"
    )
    sidecar = next(one for one in pod["initContainers"] if one["name"] == "opa")
    config = next(
        one["data"]["config.yaml"]
        for one in documents
        if one["metadata"]["name"].startswith("opa-config")
    )
    ours, theirs = key(tmp_path, "ours"), key(tmp_path, "theirs")
    law = read_law(ROOT / "policies")
    port = free_port()
    places = {
        "/run/opa": str(tmp_path),
        "/var/opa": str(tmp_path / "kept"),
        "/etc/opa-keys/law.pem": str(ours.with_suffix(".pub")),
        "/etc/opa/": f"{tmp_path}/",
        "0.0.0.0:8282": f"127.0.0.1:{port}",
    }

    def here(text: str) -> str:
        for there, place in places.items():
            text = text.replace(there, place)
        return text

    with serving(tmp_path) as server:
        places["http://law:8080"] = server
        (tmp_path / "config.yaml").write_text(here(config))
        write_bundle(law, tmp_path / "law.tar.gz", sign(bundle_files(law), read_key(theirs)))
        unit = Unit(
            name="opa",
            argv=[str(binary), *map(here, sidecar["args"])],
            address=f"unix://{tmp_path}/opa.sock",
            health=f"http://127.0.0.1:{port}/health",
            env=environment(),
            folder=tmp_path,
        )
        with running(unit, tmp_path / "log"):
            ready = f"http://127.0.0.1:{port}{sidecar['readinessProbe']['httpGet']['path']}"
            engine = await open_policy(unit.address)
            assert not requests.get(ready, timeout=5).ok
            assert not (await engine.status()).healthy
            write_bundle(law, tmp_path / "law.tar.gz", sign(bundle_files(law), read_key(ours)))
            while not requests.get(ready, timeout=5).ok:
                await asyncio.sleep(0.05)
            status = await engine.status()
            assert (status.healthy, status.revision) == (True, law.revision)
            await engine.close()
    assert "failed to verify" in (tmp_path / "log").read_text()
