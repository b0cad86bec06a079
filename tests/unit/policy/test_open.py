from pathlib import Path

import pytest

from beholden.core.errors import FailedPrecondition
from beholden.policy.open import open_policy
from tests.contract.policy_engines import POLICIES


@pytest.mark.parametrize("url", [f"file:{POLICIES}", f"file://{POLICIES}"])
async def test_a_folder_is_evaluated_in_process(url: str) -> None:
    engine = await open_policy(url)
    assert (await engine.status()).engine == "rego"
    await engine.close()


async def test_a_relative_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(POLICIES.parent)
    engine = await open_policy("file:policies")
    assert (await engine.status()).healthy
    await engine.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://opa:8181/", "unix:///no/opa.sock"])
async def test_opa_need_not_be_there_yet(url: str) -> None:
    engine = await open_policy(url)
    assert not (await engine.status()).healthy
    assert (await engine.status()).engine == "opa"
    await engine.close()


@pytest.mark.parametrize(
    "url",
    ["", "policies", "file:", "file://host/policies", "http://", "unix:", "unix://opa.sock", "grpc://opa:1"],
)  # fmt: skip
async def test_other_urls_are_refused_with_what_would_do(url: str) -> None:
    with pytest.raises(FailedPrecondition, match="use file:FOLDER"):
        await open_policy(url)


async def test_a_folder_without_policies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FailedPrecondition, match="cannot be read"):
        await open_policy(f"file:{tmp_path}")
