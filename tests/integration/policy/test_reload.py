"""Law that changes under load, and law that must never come into force."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from beholden.core.errors import FailedPrecondition, Unavailable
from beholden.policy.bundle import bundle_files, write_bundle
from beholden.policy.law import Law
from beholden.policy.open import open_policy, read_law
from beholden.policy.rego import RegoEngine
from beholden.policy.settings import PolicySettings
from beholden.policy.signing import sign
from tests.contract.policy_engines import POLICIES, call, changed, law

POLICE = call("metro-police", purpose="criminal_investigation")


def saying(answer: str) -> Law:
    """A law whose every answer is `answer`."""
    module = f'package usage\n\ndecision := "{answer}"\n'
    return changed(law(), modules={"usage/a.rego": module})


class Source:
    """The law as it now reads."""

    def __init__(self, law: Law) -> None:
        self.law = law

    def __call__(self) -> Law:
        return self.law


async def test_every_answer_is_of_the_law_that_it_names() -> None:
    laws = [saying("one"), saying("two")]
    answers = {laws[0].revision: "one", laws[1].revision: "two"}
    source = Source(laws[0])
    engine = RegoEngine(source, PolicySettings(timeout=30))
    await engine.reload()
    done = asyncio.Event()
    seen: set[str] = set()

    async def ask() -> None:
        while not done.is_set():
            evaluation = await engine.evaluate(POLICE)
            assert answers[evaluation.revision] == evaluation.document
            seen.add(evaluation.revision)
            await asyncio.sleep(0)  # what is remembered is answered without a turn of the loop

    asking = [asyncio.create_task(ask()) for _ in range(3)]
    for turn in range(1, 5):
        source.law = laws[turn % 2]
        assert await engine.reload()
        assert (await engine.status()).revision == source.law.revision
    done.set()
    await asyncio.gather(*asking)
    assert seen == set(answers)
    await engine.close()


async def test_an_edited_folder_is_taken_up(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(POLICIES, tmp_path / "policies"))
    engine = RegoEngine(partial(read_law, folder), PolicySettings())
    await engine.reload()
    before = await engine.decide(POLICE)
    assert not before.allowed
    assert not await engine.reload()
    waiting = asyncio.create_task(engine.changed(before.revision))
    (folder / "law/regimes/data.json").write_text('{"adopted": []}')
    assert await engine.reload()
    after = await engine.decide(POLICE)
    assert after.allowed
    assert after.revision != before.revision
    async with asyncio.timeout(10):
        await waiting
        await engine.changed(before.revision)
    await engine.close()


async def test_a_watched_folder_is_taken_up_by_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = Path(shutil.copytree(POLICIES, tmp_path / "policies"))
    adopted = folder / "law/regimes/data.json"
    good = adopted.read_text()
    engine = await open_policy(f"file:{folder}", PolicySettings(watch=0.02))
    assert isinstance(engine, RegoEngine)
    before = await engine.decide(POLICE)
    adopted.write_text('{"adopted": ["no such regime"]}')
    while not (status := await engine.status()).problem:
        await asyncio.sleep(0.02)
    assert "no such regime" in status.problem
    assert (status.healthy, status.revision) == (True, before.revision)
    assert f"{before.revision} stays in force" in caplog.text
    assert await engine.decide(POLICE) == before

    adopted.write_text(good)
    while (await engine.status()).problem:
        await asyncio.sleep(0.02)
    assert (await engine.status()).revision == before.revision

    adopted.write_text('{"adopted": []}')
    await engine.changed(before.revision)
    assert (await engine.decide(POLICE)).allowed
    assert not (await engine.status()).problem
    await engine.close()


async def test_a_signed_bundle_is_taken_up_and_an_unsigned_one_is_not(tmp_path: Path) -> None:
    key = ECKey.generate_key("P-256")
    public, bundle = tmp_path / "public.pem", tmp_path / "law.tar.gz"
    public.write_bytes(key.as_pem(private=False))
    settings = PolicySettings(watch=0.02, key=public)
    write_bundle(law(), bundle)
    with pytest.raises(FailedPrecondition, match="not signed"):
        await open_policy(f"file:{bundle}", settings)
    with pytest.raises(FailedPrecondition, match="no signed bundle"):
        await open_policy(f"file:{POLICIES}", settings)

    write_bundle(law(), bundle, sign(bundle_files(law()), key))
    engine = await open_policy(f"file:{bundle}", settings)
    write_bundle(changed(law(), data={**law().data, "law": {}}), bundle)
    while not (status := await engine.status()).problem:
        await asyncio.sleep(0.02)
    assert "not signed" in status.problem
    assert status.revision == law().revision
    await engine.close()


async def test_two_laws_do_not_share_a_name() -> None:
    source = Source(law())
    engine = RegoEngine(source, PolicySettings())
    await engine.reload()
    source.law = replace(saying("one"), revision=law().revision)
    with pytest.raises(FailedPrecondition, match="still called"):
        await engine.reload()
    await engine.close()


BAD = {
    "syntax": ("package usage\n\ndecision := {\n", "unclosed"),
    "no such function": ("package usage\n\ndecision := foo(1)\n", "cannot be asked"),
    "allows everything": (
        'package usage\n\ndecision := {"allow": true, "reasons": [], "obligations": [], '
        '"exemptions": [], "advice": [], "answered": []}\n',
        "allows a call of which nothing is known",
    ),
    "takes the compiler down": (f"package usage\n\ndecision := {'[' * 20_000}{']' * 20_000}\n", "-11"),
}  # fmt: skip


@pytest.mark.parametrize(("module", "said"), BAD.values(), ids=BAD)
async def test_bad_law_does_not_replace_good(module: str, said: str) -> None:
    source = Source(law())
    engine = RegoEngine(source, PolicySettings())
    await engine.reload()
    source.law = changed(law(), modules={"usage/a.rego": module})
    with pytest.raises(FailedPrecondition, match=said):
        await engine.reload()
    decision = await engine.decide(POLICE)
    assert decision.revision == law().revision
    assert {reason.code for reason in decision.reasons} == {"MORATORIUM"}
    await engine.close()


async def test_law_that_does_not_end_compiling_is_given_up() -> None:
    engine = RegoEngine(law, PolicySettings(build_timeout=0.01))
    with pytest.raises(FailedPrecondition, match=r"over 0\.01 s"):
        await engine.reload()
    with pytest.raises(Unavailable, match="no law is loaded"):
        await engine.decide(POLICE)
    await engine.close()


async def test_what_was_answered_is_answered_again_only_by_the_law_that_did() -> None:
    source = Source(saying("one"))
    engine = RegoEngine(source, PolicySettings(threads=1))
    await engine.reload()
    first = await engine.evaluate(POLICE)
    asked: list[str] = []
    engine._ask = lambda loaded, text, entrypoint: asked.append(text)  # type: ignore[method-assign]
    assert await engine.evaluate(POLICE) == first
    assert not asked
    another = {**POLICE, "time": {**POLICE["time"], "ns": POLICE["time"]["ns"] + 1}}
    await engine.evaluate(another)
    assert len(asked) == 1
    source.law = saying("two")
    await engine.reload()
    await engine.evaluate(POLICE)
    assert len(asked) == 2
    await engine.close()


async def test_a_decision_that_does_not_come_is_unavailable() -> None:
    """A module that takes for ever must not hold the call, nor let it pass."""
    module = """package usage

decision := {"slow": count(pairs)} if input.action

pairs contains [a, b] if {
	some a in numbers.range(1, 60)
	some b in numbers.range(1, 60)
}
"""
    slow = changed(law(), modules={"usage/a.rego": module})
    engine = RegoEngine(lambda: slow, PolicySettings(timeout=0.05))
    await engine.reload()
    with pytest.raises(Unavailable, match="too long"):
        await engine.decide(call())
    await engine.close()
