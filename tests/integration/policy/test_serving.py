"""The law served to a real OPA: signed, long-polled, and never one that does not do."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import requests
from joserfc.jwk import ECKey

from beholden.core.errors import FailedPrecondition
from beholden.policy.bundle import bundle_files, write_bundle
from beholden.policy.law import load_law
from beholden.policy.opa import OpaEngine
from beholden.policy.serving import PATH, BundleServer, keep_serving, opa_configuration
from beholden.policy.settings import PolicySettings
from beholden.policy.signing import VerificationKey, sign
from tests.contract.policy_engines import POLICIES, call, opa_following, require_opa

POLICE = call("metro-police", purpose="criminal_investigation")
KEY = ECKey.generate_key("P-256")


@asynccontextmanager
async def serving(folder: Path, key: VerificationKey | None = KEY) -> AsyncIterator[BundleServer]:
    """A server of the folder's law that has its first."""
    told = asyncio.Event()
    with BundleServer("127.0.0.1", 0) as server:
        work = keep_serving(server, folder, key, 0.02, lambda _: told.set())
        task = asyncio.create_task(work)
        waiting = asyncio.create_task(told.wait())
        await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done():
            task.result()
        try:
            yield server
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_opa_follows_the_law_as_it_changes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    require_opa()
    folder = Path(shutil.copytree(POLICIES, tmp_path / "policies"))
    adopted = folder / "law/regimes/data.json"
    async with serving(folder) as server:
        with opa_following(opa_configuration(server.url, KEY), tmp_path) as url:
            engine = OpaEngine(url, PolicySettings(opa_watch=0.05))
            before = await engine.decide(POLICE)
            assert not before.allowed

            adopted.write_text('{"adopted": ["no such regime"]}')
            while "no such regime" not in caplog.text:
                await asyncio.sleep(0.02)
            assert await engine.decide(POLICE) == before

            adopted.write_text('{"adopted": []}')
            await engine.changed(before.revision)
            after = await engine.decide(POLICE)
            assert after.allowed
            assert after.revision == load_law(folder).revision

            # Signed by somebody else: OPA keeps what it has, says so, and answers.
            server.put(_forged(folder))
            while not (status := await engine.status()).problem:
                await asyncio.sleep(0.05)
            assert (status.healthy, status.revision) == (True, after.revision)
            assert (await engine.decide(POLICE)).revision == after.revision
            await engine.close()


def _forged(folder: Path) -> bytes:
    from beholden.policy.bundle import bundle_bytes, bundle_files
    from beholden.policy.signing import sign

    (folder / "law/regimes/data.json").write_text('{"adopted": ["ibm-2020"]}')
    law = load_law(folder)
    return bundle_bytes(law, sign(bundle_files(law), ECKey.generate_key("P-256")))


async def test_a_bundle_that_was_signed_elsewhere_goes_out_as_it_is(tmp_path: Path) -> None:
    law, place, fresh = load_law(POLICIES), tmp_path / "law.tar.gz", tmp_path / "fresh.tar.gz"

    def signed(key: VerificationKey) -> bytes:
        write_bundle(law, fresh, sign(bundle_files(law), key))
        return fresh.replace(place).read_bytes()

    first = signed(KEY)
    async with serving(place, key=None) as server:
        assert server.other_than("", 10)[0] == first
        # The same law by another key is another bundle.
        second = signed(ECKey.generate_key("P-256"))
        tag = server.other_than("", 0)[1]
        assert (await asyncio.to_thread(server.other_than, tag, 10))[0] == second


async def test_who_has_the_newest_waits_for_the_next() -> None:
    with BundleServer("127.0.0.1", 0) as server:
        address = server.url + PATH

        def ask(tag: str = "", wait: int = 0) -> requests.Response:
            headers = {"If-None-Match": tag, "Prefer": f"modes=snapshot,delta;wait={wait}"}
            return requests.get(address, headers=headers, timeout=10)

        assert ask().status_code == 503
        server.put(b"one")
        first = await asyncio.to_thread(ask)
        assert (first.status_code, first.content) == (200, b"one")
        tag = first.headers["ETag"]
        unchanged = await asyncio.to_thread(ask, tag)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        waiting = asyncio.create_task(asyncio.to_thread(ask, tag, 60))
        await asyncio.to_thread(time.sleep, 0.05)
        assert not waiting.done()
        server.put(b"two")
        assert (await waiting).content == b"two"
        assert requests.get(server.url + "/etc/passwd", timeout=10).status_code == 404


async def test_a_first_law_that_does_not_do_is_not_served(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(POLICIES, tmp_path / "policies"))
    (folder / "law/limits/data.json").write_text("{}")
    with pytest.raises(FailedPrecondition, match="law/limits"):
        async with serving(folder):
            pass


def test_opa_is_told_nothing_secret() -> None:
    said = json.dumps(opa_configuration("http://127.0.0.1:8182", KEY))
    assert "PUBLIC KEY" in said
    assert "PRIVATE" not in said
