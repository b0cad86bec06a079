"""The wiring of video: its queue, its workers, and what its faces are matched with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from functools import partial

from google.longrunning import operations_grpc_pb2, operations_pb2

from beholden.core.errors import FailedPrecondition
from beholden.core.faces import DetectedFace, Pixels, Template
from beholden.core.gallery import Face
from beholden.core.models import ModelSpec
from beholden.core.ports import Jobs, Ledger, PolicyEngine
from beholden.core.video import VideoLimits
from beholden.embedding.pipeline import EmbeddingPipeline
from beholden.guard.permission import Permissions
from beholden.media.pyav import AvReader
from beholden.media.streams import AvStreams
from beholden.policy.tenants import load_tenants
from beholden.runtime.authorities import LawAuthorities
from beholden.runtime.health import Probe
from beholden.runtime.served import Served
from beholden.runtime.settings import Settings
from beholden.runtime.watching import watch_jobs
from beholden.search.pipeline import SearchPipeline
from beholden.search.probing import Sought
from beholden.v1 import video_pb2, video_pb2_grpc
from beholden.video.live import LivePipeline
from beholden.video.pipeline import VideoPipeline
from beholden.video.sample import Eyes
from beholden.video.servicer import VideoOperations, VideoServicer
from beholden.video.worker import KIND, Worker

_COUNT_SECONDS = 15.0
"""How often waiting videos are counted: about as often as anybody asks for metrics."""


def permissions(
    settings: Settings, policy: PolicyEngine, ledger: Ledger, authorities: LawAuthorities
) -> Permissions:
    """What jobs ask the law again with."""
    return Permissions(
        policy,
        ledger,
        {name: one.facts() for name, one in load_tenants(settings.tenants).items()},
        authorities=authorities,
        clock=time.time_ns,
        interval=settings.guard.ask_again,
    )


class Matcher:
    """Implements `core.ports.FaceMatcher`: the embedder and the search of this process."""

    def __init__(self, embedder: EmbeddingPipeline, search: SearchPipeline | None) -> None:
        self._embedder = embedder
        self._search = search

    async def check(self, tenant: str, collection: str) -> None:
        """See `FaceMatcher.check`."""
        await self._found().collections.compatible(tenant, collection)

    async def embed(self, pixels: Pixels, face: DetectedFace) -> Template:
        """See `FaceMatcher.embed`."""
        return await self._embedder.embed_found(pixels, face)

    async def search(
        self,
        template: Template,
        *,
        tenant: str,
        collection: str,
        limit: int,
        least: float | None,
    ) -> Sequence[tuple[Face, float]]:
        """See `FaceMatcher.search`."""
        sought = Sought(limit=limit, min_similarity=least)
        found, _ = await self._found().candidates(tenant, collection, template, sought)
        return [(one.face, one.similarity) for one in found]

    @property
    def models(self) -> tuple[ModelSpec, ...]:
        """See `FaceMatcher.models`."""
        return (self._embedder.model,)

    def _found(self) -> SearchPipeline:
        if self._search is None:
            raise FailedPrecondition(
                "the galleries are another process's",
                remedy="serve video and search in one process, or take a Milvus server",
            )
        return self._search


class VideoHall:
    """The video service, and its workers while it is served."""

    def __init__(
        self,
        settings: Settings,
        workers: Executor,
        jobs: Jobs,
        law: Permissions,
        eyes: Eyes,
    ) -> None:
        own = settings.video
        self._jobs = jobs
        limits = VideoLimits(max_bytes=own.max_bytes, max_hours=own.max_hours)
        reader = AvReader(limits)
        self._pipeline = VideoPipeline(jobs, law, reader, eyes, workers=workers, settings=own)
        self._live = LivePipeline(law, AvStreams(limits), eyes, workers=workers, settings=own)
        self._workers = [
            Worker(jobs, law, reader, eyes, workers=workers, settings=own)
            for _ in range(own.workers)
        ]

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Workers take videos meanwhile; at the end they give back what they have."""
        tasks = [asyncio.create_task(worker.run()) for worker in self._workers]
        tasks.append(asyncio.create_task(watch_jobs(self._jobs, KIND, _COUNT_SECONDS)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def served(self, probe: Probe) -> list[Served]:
        """The service, and the operations that it begins."""
        return [
            Served(
                video_pb2.DESCRIPTOR.services_by_name["VideoService"],
                partial(
                    video_pb2_grpc.add_VideoServiceServicer_to_server,
                    VideoServicer(self._pipeline, self._live),
                ),
                probe,
            ),
            Served(
                operations_pb2.DESCRIPTOR.services_by_name["Operations"],
                partial(
                    operations_grpc_pb2.add_OperationsServicer_to_server,
                    VideoOperations(self._pipeline),
                ),
                probe,
            ),
        ]
