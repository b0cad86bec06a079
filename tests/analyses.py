"""Video analyses in this process, over the models that are pulled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from beholden.catalog.entries import load_catalog
from beholden.catalog.repository import available
from beholden.core.jobs import Annotation
from beholden.core.models import OBJECT_DETECTOR
from beholden.core.ports import Permissions
from beholden.core.video import VideoLimits
from beholden.detection.actions import ActionPipeline
from beholden.inference.open import open_inference
from beholden.inference.settings import InferenceSettings
from beholden.media.pyav import AvReader
from beholden.media.streams import AvStreams
from beholden.runtime.needs import roles_of
from beholden.runtime.rooms import Rooms
from beholden.runtime.settings import Settings
from beholden.video.analysis import Analysis
from beholden.video.features import Feature, Spec
from beholden.video.live import LivePipeline
from beholden.video.sample import Eyes
from beholden.video.settings import VideoSettings
from beholden.video.state import CODEC, State
from tests.house import MODELS


@dataclass(frozen=True)
class Found:
    """What an analysis found, and its last state."""

    annotations: list[Annotation]
    state: State

    def spans(self, feature: Feature) -> list[Annotation]:
        return [one for one in self.annotations if one.span and one.feature == feature]


class Analyst:
    """Analyses videos; searches no collections."""

    def __init__(self, eyes: Eyes, workers: ThreadPoolExecutor) -> None:
        self.eyes = eyes
        self._workers = workers

    def live(self, permissions: Permissions, **settings: Any) -> LivePipeline:
        """Live analysis under these permissions."""
        return LivePipeline(
            permissions,
            AvStreams(VideoLimits()),
            self.eyes,
            workers=self._workers,
            settings=VideoSettings(**settings),
        )

    async def analysed(
        self,
        path: Path,
        *features: Feature,
        resumed: bool = False,
        chunk_done: Callable[[State], None] = lambda _: None,
        **settings: Any,
    ) -> Found:
        """The whole video; `resumed` takes each chunk up anew, as another process would."""
        own = VideoSettings(**settings)
        reader = AvReader(VideoLimits())
        found: list[Annotation] = []
        state: State | None = None
        while True:
            with reader.open(path, field="video") as clip:
                analysis = Analysis(
                    Spec(str(path), False, features),
                    "tenant",
                    self.eyes,
                    clip,
                    workers=self._workers,
                    settings=own,
                    state=state,
                )
                while True:
                    found += await analysis.chunk()
                    state = CODEC.load(CODEC.dump(analysis.state))
                    chunk_done(analysis.state)
                    if analysis.state.ended:
                        return Found(found, analysis.state)
                    if resumed:
                        break


@asynccontextmanager
async def analyst(actions: ActionPipeline | None = None) -> AsyncIterator[Analyst]:
    """Over the local engine, with the eyes of a video worker; `actions` has an engine of its own."""
    settings = Settings(model_repository=MODELS)
    catalog = load_catalog(settings.catalog)
    models = {role: available(catalog, MODELS, role) for role in roles_of("video", {})}
    assert models[OBJECT_DETECTOR], "run `make setup`"
    pulled = [model for model in models.values() if model is not None]
    engine = await open_inference("local:", MODELS, pulled, InferenceSettings())
    absent: Any = None
    try:
        with ThreadPoolExecutor(2) as workers:
            rooms = Rooms(settings, workers, engine, None, absent, absent, absent, None, models, {})
            eyes = rooms.eyes()
            yield Analyst(replace(eyes, actions=actions or eyes.actions), workers)
    finally:
        await engine.close()
