"""Live analysis in this process: under a law that turns, for a caller that does not listen, many at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from beholden.core.caller import Caller
from beholden.core.errors import Denied, ResourceExhausted
from beholden.core.law import Decision, Facts, Obligation, Reason
from beholden.guard.authorities import Authorities
from beholden.guard.permission import Permissions
from beholden.video.changes import Change
from beholden.video.features import Feature
from beholden.video.live import Asked, Begun, LivePipeline, Picture, Told
from tests import pictures
from tests.analyses import Analyst, analyst
from tests.integration.guard.house import ALLOWED, TENANTS, Book, Law

pytestmark = pytest.mark.asyncio(loop_scope="module")

BAN = Decision(False, "r2", reasons=(Reason("MORATORIUM", "noon", "Stop at noon."),))
CALLER = Caller("daily-herald", "ada", facts={"action": "video.stream", "realtime": "yes"})
FACES = Asked((Feature.FACES,))


class Turning(Law):
    """A law of which every feature hears that it has turned, not one alone."""

    async def changed(self, revision: str) -> None:
        await self._turned.wait()
        if revision == "r2":
            await asyncio.Event().wait()


class Banning(Turning):
    """A law under which one action is refused, from the start or once it has turned."""

    def __init__(self, action: str, *, from_the_start: bool = True) -> None:
        super().__init__()
        self._action = action
        if from_the_start:
            self.answer = BAN

    async def decide(self, facts: Facts) -> Decision:
        answer = await super().decide(facts)
        return answer if facts["action"] == self._action else replace(ALLOWED, revision="r2")


def live(here: Analyst, law: Law, **settings: Any) -> LivePipeline:
    permissions = Permissions(
        law,  # type: ignore[arg-type]
        Book(),  # type: ignore[arg-type]
        TENANTS,
        authorities=Authorities,
        clock=lambda: 1,
        interval=60,
    )
    return here.live(permissions, **settings)


class Camera:
    """Shows pictures as fast as they are taken, `many` of them or without end."""

    def __init__(self, many: int = 2**30, step_us: int = 500_000) -> None:
        self.shown = 0
        self._many, self._step_us = many, step_us
        self._astronaut = pictures.encode(pictures.pixels("astronaut")[:256, 100:356], "JPEG")

    async def pictures(self, pause: float = 0.0) -> AsyncIterator[Picture]:
        while self.shown < self._many:
            self.shown += 1
            yield Picture(self._astronaut, self.shown * self._step_us, f"messages[{self.shown}]")
            await asyncio.sleep(pause)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def here() -> AsyncIterator[Analyst]:
    async with analyst() as opened:
        yield opened


async def test_a_ban_ends_the_stream_at_once(here: Analyst) -> None:
    law = Turning()
    told = live(here, law).watch(CALLER, FACES, Camera().pictures(0.02))
    begun = await anext(told)
    assert isinstance(begun, Begun)
    assert begun.features == (Feature.FACES,)
    first = await anext(told)
    assert isinstance(first, Told)
    assert first.events[0].change is Change.APPEARED
    law.turn(BAN)
    with pytest.raises(Denied, match="Stop at noon"):
        async for _ in told:
            pass
    actions = [asked["action"] for asked in law.asked]
    assert actions == ["face.detect", "face.detect"], "as what it does, again when it turned"
    assert all(asked["realtime"] == "yes" for asked in law.asked)


async def test_one_feature_that_is_refused_ends_all_by_name(here: Analyst) -> None:
    camera, law = Camera(), Banning("face.detect")
    both = Asked((Feature.PEOPLE, Feature.FACES))
    refused = live(here, law).watch(CALLER, both, camera.pictures())
    with pytest.raises(Denied, match=r"^FACES: Stop at noon\.$"):
        await anext(refused)
    assert not camera.shown

    law = Banning("person.track", from_the_start=False)
    told = live(here, law).watch(CALLER, both, camera.pictures(0.02))
    assert isinstance(await anext(told), Begun)
    assert isinstance(await anext(told), Told)
    law.turn(BAN)
    with pytest.raises(Denied, match=r"^PEOPLE: Stop at noon\.$") as caught:
        async for _ in told:
            pass
    assert caught.value.decision.reasons[0].law == "noon"


async def test_features_refused_for_one_reason_are_told_together(here: Analyst) -> None:
    law = Law()
    law.answer = BAN
    both = Asked((Feature.PEOPLE, Feature.FACES))
    with pytest.raises(Denied, match=r"^PEOPLE, FACES: Stop at noon\.$"):
        await anext(live(here, law).watch(CALLER, both, Camera().pictures()))


async def test_what_the_law_withholds_of_a_picture_it_withholds_here(here: Analyst) -> None:
    def withholding(*classes: str) -> Decision:
        return replace(ALLOWED, obligations=(Obligation("redact", classes, "redaction"),))

    law = Law()
    law.answer = withholding("video.picture", "face.details")
    told = live(here, law).watch(CALLER, FACES, Camera(4).pictures())
    events = [one for answer in [one async for one in told][1:] for one in answer.events]  # type: ignore[union-attr]
    assert events[-1].change is Change.GONE
    assert not any(one.about.picture or "face" in one.about.detail for one in events)

    law.answer = withholding("faces")
    with pytest.raises(Denied, match=r"^FACES: The law withholds all that it would tell\.$"):
        await anext(live(here, law).watch(CALLER, FACES, Camera().pictures()))


async def test_who_does_not_listen_holds_nothing_up(here: Analyst) -> None:
    camera = Camera(many=500)
    pipeline = live(here, Law(), stream_frames=8)
    async with aclosing(pipeline.watch(CALLER, FACES, camera.pictures())) as told:
        await anext(told)
        answers = [await anext(told)]
        while camera.shown < 500:
            await asyncio.sleep(0.001)
        answers += [one async for one in told]
    behind = [one.behind for one in answers if isinstance(one, Told) and one.behind]
    assert sum(one.count for one in behind) > 450
    last = answers[-1]
    assert isinstance(last, Told)
    assert [one.change for one in last.events] == [Change.GONE], "and nothing is lost but frames"


async def test_only_so_many_streams_at_a_time(here: Analyst) -> None:
    pipeline = live(here, Law(), streams=1)
    async with aclosing(pipeline.watch(CALLER, FACES, Camera(3).pictures())) as first:
        await anext(first)
        with pytest.raises(ResourceExhausted, match="most streams"):
            await anext(pipeline.watch(CALLER, FACES, Camera(3).pictures()))
    again = pipeline.watch(CALLER, FACES, Camera(1).pictures())
    assert isinstance(await anext(again), Begun)
    await again.aclose()
