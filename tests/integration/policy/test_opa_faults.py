"""OPA away, hanging, restarted, or answering nonsense: always a refusal, and recovery by itself."""

from __future__ import annotations

import asyncio
import json
import signal
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from beholden.core.errors import Unavailable
from beholden.policy.bundle import write_bundle
from beholden.policy.opa import OpaEngine
from beholden.policy.settings import PolicySettings
from tests.contract.policy_engines import call, changed, law, opa_process, opa_server, require_opa


@contextmanager
def answering(status: int, body: str, **headers: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that always answers this; its URL, and the headers of the requests it got."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append({**self.headers, "path": self.path})
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()


ODD = {
    "an error": (500, '{"code": "internal_error"}', {}),
    "not found": (404, "{}", {}),
    "no JSON": (200, "<html>", {}),
    "a list": (200, "[]", {}),
    "nothing": (200, "", {}),
    "no revision": (200, '{"result": {"allow": true}}', {}),
    "an empty revision": (
        200,
        '{"result": {"allow": true}, "provenance": {"bundles": {"law": {"revision": ""}}}}',
        {},
    ),
    "another place": (307, "{}", {"Location": "http://127.0.0.1:9/"}),
}


@pytest.mark.parametrize(("status", "body", "headers"), ODD.values(), ids=ODD)
async def test_an_odd_answer_is_no_answer(status: int, body: str, headers: dict[str, str]) -> None:
    with answering(status, body, **headers) as (url, _):
        engine = OpaEngine(url, PolicySettings())
        with pytest.raises(Unavailable):
            await engine.decide(call())
        assert not (await engine.status()).healthy
        await engine.close()


async def test_an_answer_without_a_result_denies() -> None:
    body = json.dumps({"provenance": {"bundles": {"law": {"revision": "r1"}}}})
    with answering(200, body) as (url, seen):
        engine = OpaEngine(url, PolicySettings(opa_token="t0ken"))
        decision = await engine.decide(call())
        await engine.close()
    assert [reason.code for reason in decision.reasons] == ["POLICY_UNDEFINED"]
    assert decision.revision == "r1"
    assert seen[0]["Authorization"] == "Bearer t0ken"
    assert "strict-builtin-errors=true" in seen[0]["path"]


async def test_a_call_that_opa_cannot_evaluate_does_not_shut_out_the_others() -> None:
    with answering(500, '{"code": "internal_error"}') as (url, seen):
        engine = OpaEngine(url, PolicySettings(opa_failures=2))
        for _ in range(4):
            with pytest.raises(Unavailable, match="HTTP 500"):
                await engine.decide(call())
        await engine.close()
    assert len(seen) == 4


async def test_an_opa_that_hangs_is_unavailable_and_then_left_alone() -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        engine = OpaEngine(
            f"http://127.0.0.1:{server.server_address[1]}",
            PolicySettings(opa_timeout=0.2, opa_failures=2, opa_pause=60),
        )
        for _ in range(2):
            with pytest.raises(Unavailable, match="does not answer"):
                await engine.decide(call())
        with pytest.raises(Unavailable, match="left alone") as caught:
            await engine.decide(call())
        assert 50 < caught.value.retry_after <= 60
        await engine.close()


async def test_nobody_there() -> None:
    engine = OpaEngine("unix:///nowhere/opa.sock", PolicySettings())
    with pytest.raises(Unavailable, match="does not answer"):
        await engine.decide(call())
    status = await engine.status()
    assert (status.healthy, status.revision) == (False, "")
    await engine.close()


@pytest.mark.parametrize("socket_file", [True, False], ids=["unix", "tcp"])
async def test_killed_and_started_again(tmp_path: Path, socket_file: bool) -> None:
    require_opa()
    bundle = tmp_path / "bundle.tar.gz"
    write_bundle(law(), bundle)
    with opa_server(bundle, tmp_path, socket_file=socket_file) as url:
        engine = OpaEngine(url, PolicySettings())
        assert (await engine.decide(call())).allowed
    with pytest.raises(Unavailable):
        await engine.decide(call())
    status = await engine.status()
    assert (status.healthy, status.revision) == (False, law().revision)
    (tmp_path / "opa.sock").unlink(missing_ok=True)
    with opa_process(bundle, tmp_path, url):
        # The connection that was kept is dead now; that must not be seen.
        assert (await engine.decide(call())).allowed
        assert (await engine.status()).healthy
    await engine.close()


async def test_stopped_in_the_middle(tmp_path: Path) -> None:
    """A process that is stopped accepts connections and never answers."""
    require_opa()
    bundle = tmp_path / "bundle.tar.gz"
    write_bundle(law(), bundle)
    url = f"unix://{tmp_path / 'opa.sock'}"
    with opa_process(bundle, tmp_path, url) as server:
        engine = OpaEngine(url, PolicySettings(opa_timeout=0.3))
        assert (await engine.decide(call())).allowed
        server.send_signal(signal.SIGSTOP)
        while Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
            await asyncio.sleep(0.01)
        with pytest.raises(Unavailable):
            await engine.decide(call())
        server.send_signal(signal.SIGCONT)
        while not (await engine.status()).healthy:
            await asyncio.sleep(0.05)
        assert (await engine.decide(call())).allowed
        await engine.close()


async def test_new_law_is_taken_up_without_a_restart(tmp_path: Path) -> None:
    police = call("metro-police", purpose="criminal_investigation")
    bundle, fresh = tmp_path / "bundle.tar.gz", tmp_path / "fresh.tar.gz"
    data: Any = law().data
    free = changed(law(), data={**data, "law": {**data["law"], "regimes": {"adopted": []}}})
    write_bundle(law(), bundle)
    with opa_server(bundle, tmp_path, socket_file=True) as url:
        engine = OpaEngine(url, PolicySettings())
        assert not (await engine.decide(police)).allowed
        waiting = asyncio.create_task(engine.changed(law().revision))
        write_bundle(free, fresh)
        fresh.replace(bundle)
        while not waiting.done():
            decision = await engine.decide(police)
            assert decision.allowed == (decision.revision == free.revision)
            await asyncio.sleep(0.05)
        assert (await engine.decide(police)).allowed
        assert (await engine.status()).revision == free.revision
        await engine.close()
