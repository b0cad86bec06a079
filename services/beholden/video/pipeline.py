"""Begins analyses: checks the video, asks the law about each feature, and queues the job."""

from __future__ import annotations

import asyncio
import time
import uuid
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from beholden.core.caller import Caller
from beholden.core.errors import Denied, FailedPrecondition, InvalidArgument, NotFound
from beholden.core.gallery import Page
from beholden.core.jobs import Annotation, Job, Wanted
from beholden.core.law import Json
from beholden.core.ports import Jobs, Permissions
from beholden.core.video import VideoInfo, VideoReader
from beholden.video.features import Feature, Spec, read_spec
from beholden.video.law import deletion, lessened, permitted, refusal, restricted, sorted_out
from beholden.video.sample import Eyes
from beholden.video.settings import VideoSettings
from beholden.video.spool import discard, upload
from beholden.video.worker import KIND, kept

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller asks of a video: its bytes or the name of a file, and the rest of the spec."""

    content: bytes
    file: str
    features: tuple[Feature, ...]
    min_confidence: float | None
    collection: str
    min_similarity: float | None
    max_results: int
    priority: int
    request_id: str
    every_frame: bool = False


class VideoPipeline:
    """Jobs in, jobs and annotations out; knows neither the wire nor where the law is kept."""

    def __init__(
        self,
        jobs: Jobs,
        permissions: Permissions,
        reader: VideoReader,
        eyes: Eyes,
        *,
        workers: Executor,
        settings: VideoSettings,
    ) -> None:
        self.jobs = jobs
        self._permissions = permissions
        self._reader = reader
        self._eyes = eyes
        self._workers = workers
        self._settings = settings

    async def begin(self, caller: Caller, request: Request) -> Job:
        """Queues the analysis. Raises as AnalyzeVideo says."""
        features = tuple(dict.fromkeys(request.features))
        if Feature.FACE_SEARCH in features and not request.collection:
            raise InvalidArgument("collection", "must be set to search faces")
        leaves = await permitted(self._permissions, caller, features)
        delete_ns = deletion(leaves, caller.delete_by_ns)
        if delete_ns and delete_ns <= time.time_ns():
            raise FailedPrecondition("the law wants what is found deleted by a time that is past")
        models = self._eyes.models(features)
        if request.collection:
            await self._eyes.matcher.check(caller.tenant, request.collection)
        new = str(uuid.uuid4())
        loop = asyncio.get_running_loop()
        path = await loop.run_in_executor(self._workers, self._placed, new, request)
        spec = restricted(
            Spec(
                path=str(path),
                upload=not request.file,
                features=features,
                min_confidence=request.min_confidence,
                collection=request.collection,
                min_similarity=request.min_similarity,
                max_results=request.max_results,
                every_frame=request.every_frame or Feature.REDACTION in features,
            ),
            {one.feature: one.decision for one in leaves},
        )
        try:
            await loop.run_in_executor(self._workers, self._info, path)
            job = await self.jobs.create(
                Job(
                    id=new,
                    kind=KIND,
                    tenant=caller.tenant,
                    principal=caller.principal,
                    spec=spec.document(),
                    caller=kept(caller),
                    created_ns=time.time_ns(),
                    request_id=request.request_id,
                    priority=request.priority,
                    delete_ns=delete_ns,
                    progress={"models": [model.id for model in models]},
                )
            )
        except BaseException:
            await loop.run_in_executor(self._workers, discard, spec)
            raise
        if job.id != new:
            await loop.run_in_executor(self._workers, discard, spec)
        return job

    async def annotations(
        self,
        caller: Caller,
        id: str,
        wanted: Wanted,
        *,
        page_size: int,
        page_token: str,
    ) -> tuple[Page[Annotation], dict[Feature, Denied]]:
        """One page of what was found, and what the law refuses this caller now.

        Raises NotFound; Denied where what is `wanted` by name is refused, or all is.
        """
        job = await self.jobs.get(caller.tenant, id)
        spec = read_spec(job.spec)
        asked = [one for one in spec.features if not wanted.features or one in wanted.features]
        if not asked:
            return Page(()), {}
        seeing = replace(
            caller,
            facts={**caller.facts, "request": dict(_asked(job.caller))},
        )
        allowed, refused = await sorted_out(self._permissions, seeing, asked)
        if refused and (wanted.features or not allowed):
            raise refusal(refused)
        decisions = {one.feature: one.decision for one in allowed}
        page = await self.jobs.annotations(
            caller.tenant,
            id,
            replace(wanted, features=tuple(decisions)),
            page_size=page_size or _PAGE,
            page_token=page_token,
        )
        items = tuple(lessened(one, decisions[Feature(one.feature)]) for one in page.items)
        return replace(page, items=items), refused

    async def cancel(self, tenant: str, id: str) -> None:
        """Ends the job and removes its upload; one that is over stays as it is. Raises NotFound."""
        job = await self.jobs.cancel(tenant, id)
        await asyncio.get_running_loop().run_in_executor(
            self._workers, discard, read_spec(job.spec)
        )

    async def delete(self, tenant: str, id: str) -> None:
        """Removes the job, what it found and its upload. Raises NotFound."""
        job = await self.jobs.delete(tenant, id)
        await asyncio.get_running_loop().run_in_executor(
            self._workers, discard, read_spec(job.spec)
        )

    def _placed(self, id: str, request: Request) -> Path:
        if request.file:
            return self._named(request.file)
        spool = self._settings.spool
        spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = upload(spool, id)
        with path.open("xb") as file:
            path.chmod(0o600)
            file.write(request.content)
        return path.resolve()

    def _named(self, name: str) -> Path:
        """The file of that name in the operator's folder, wherever its links may lead: within it."""
        folder = self._settings.folder
        if folder is None:
            raise FailedPrecondition(
                "no folder of videos is configured", remedy="set BEHOLDEN_VIDEO__FOLDER, or upload"
            )
        try:
            root = folder.resolve(strict=True)
            path = (root / name).resolve()
        except (OSError, ValueError):
            raise NotFound(name, field="video.file") from None
        if not path.is_relative_to(root):
            raise InvalidArgument("video.file", "must lie in the folder that the operator has set")
        if not path.is_file():
            raise NotFound(name, field="video.file")
        return path

    def _info(self, path: Path) -> VideoInfo:
        with self._reader.open(path, field="video") as clip:
            return clip.info


def _asked(document: object) -> dict[str, Json]:
    """What the call that began the job asked, as facts."""
    facts = document.get("facts") if isinstance(document, dict) else None
    request = facts.get("request") if isinstance(facts, dict) else None
    return dict(request) if isinstance(request, dict) else {}
