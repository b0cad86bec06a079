"""Takes videos from the queue and analyses them, chunk by chunk, while the law allows it."""

from __future__ import annotations

import asyncio
import logging
import os
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from beholden.core.caller import Caller
from beholden.core.errors import (
    BeholdenError,
    Denied,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    Unavailable,
)
from beholden.core.jobs import Claim
from beholden.core.law import Json
from beholden.core.ports import Jobs, Permissions
from beholden.core.video import SECOND, VideoInfo, VideoReader
from beholden.video.analysis import Analysis
from beholden.video.features import Spec, read_spec
from beholden.video.law import Leave, deletion, held
from beholden.video.sample import Eyes
from beholden.video.settings import VideoSettings
from beholden.video.spool import discard, remove, upload, uploads
from beholden.video.state import CODEC

KIND = "video"

_RETRY = 5.0
_SWEEP = 10.0
_CODES: Mapping[type[BeholdenError], str] = {
    InvalidArgument: "INVALID_ARGUMENT",
    NotFound: "NOT_FOUND",
    FailedPrecondition: "FAILED_PRECONDITION",
    Denied: "PERMISSION_DENIED",
}

_log = logging.getLogger(__name__)


class _Lost(Exception):
    """The job is no longer this worker's: it was cancelled, deleted, or taken over."""


class Worker:
    """Analyses one video at a time; any number of them, in any number of processes, share the queue."""

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
        self._jobs = jobs
        self._permissions = permissions
        self._reader = reader
        self._eyes = eyes
        self._workers = workers
        self._settings = settings
        self._name = f"{os.getpid()}/{uuid.uuid4()}"

    async def run(self) -> None:
        """Works until it is cancelled; a job in hand then goes back to the queue."""
        sweeping = asyncio.create_task(self._sweeping())
        try:
            await self._take()
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)

    async def sweep(self) -> None:
        """Removes jobs that have expired, and uploads that nobody will read again. Raises Unavailable."""
        spool = self._settings.spool
        gone = [upload(spool, job) for job in await self._jobs.expire()]
        there = await asyncio.to_thread(uploads, spool)
        states = await self._jobs.states(list(there)) if there else {}
        for job, (path, old) in there.items():
            state = states.get(job)
            if old if state is None else state.over:
                gone.append(path)
        await asyncio.to_thread(remove, gone)

    async def _sweeping(self) -> None:
        while True:
            with suppress(Unavailable):
                await self.sweep()
            await asyncio.sleep(_SWEEP)

    async def _take(self) -> None:
        while True:
            claim = None
            try:
                claim = await self._jobs.claim(KIND, self._name)
            except Unavailable as error:
                _log.warning("the queue of videos does not answer: %s", error.message)
            if claim is None:
                await asyncio.sleep(self._settings.poll_seconds)
            else:
                await self._work(claim)

    async def _work(self, claim: Claim) -> None:
        """One job, to its end; whatever goes wrong with it, the worker goes on."""
        at = _At(claim)
        spec = read_spec(claim.job.spec)
        try:
            await self._watched(at, lambda: self._allowed(at, spec))
            await asyncio.to_thread(discard, spec)
        except _Lost:
            pass
        except asyncio.CancelledError:
            with suppress(BeholdenError):
                await self._jobs.release(at.claim)
            raise
        except Unavailable as error:
            _log.warning("operations/%s waits: %s", claim.job.id, error.message)
            await self._back(at, counted=False)
        except BeholdenError as error:
            await self._fail(at, spec, failure(error))
        except Exception:  # noqa: BLE001 - one video must not end the work on others
            _log.exception("operations/%s could not be analysed", claim.job.id)
            await self._back(at, counted=True)

    async def _watched(self, at: _At, work: Callable[[], Awaitable[None]]) -> None:
        """Ends the work soon after the job is cancelled, deleted or taken over."""
        working = asyncio.ensure_future(work())
        watching = asyncio.create_task(self._keep(at))
        try:
            await asyncio.wait((working, watching), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                watching.result()
                raise _Lost
            return working.result()
        finally:
            working.cancel()
            watching.cancel()
            await asyncio.gather(working, watching, return_exceptions=True)

    async def _keep(self, at: _At) -> None:
        while True:
            await asyncio.sleep(self._settings.poll_seconds)
            async with at.turn:
                if not at.over:
                    with suppress(Unavailable):
                        if not await self._jobs.renew(at.claim):
                            return

    async def _allowed(self, at: _At, spec: Spec) -> None:
        """The work under a permission for each feature; the first that is refused ends it."""
        caller = Caller(**{**at.claim.job.caller})  # type: ignore[arg-type]

        leaves = [Leave(self._permissions, caller, one) for one in spec.features]
        await held(leaves, lambda: self._analyse(at, spec, leaves))

    async def _analyse(self, at: _At, spec: Spec, leaves: Sequence[Leave]) -> None:
        # Not on the loop: opening reads the file's index.
        loop = asyncio.get_running_loop()
        opening = self._reader.open(Path(spec.path), field="video")
        clip = await loop.run_in_executor(self._workers, opening.__enter__)
        try:
            state = CODEC.load(at.claim.checkpoint) if at.claim.checkpoint else None
            analysis = Analysis(
                spec,
                at.claim.job.tenant,
                self._eyes,
                clip,
                workers=self._workers,
                settings=self._settings,
                state=state,
            )
            while True:
                found = await analysis.chunk()
                state = analysis.state
                told = progress(at.claim.job.progress, clip.info, analysis)
                if state.found > self._settings.max_annotations:
                    raise FailedPrecondition(
                        f"more than {self._settings.max_annotations} annotations were found",
                        remedy="ask for fewer features, or a higher min_confidence",
                    )
                if state.ended:
                    async with at.turn:
                        at.over = await self._jobs.finish(
                            at.claim, progress=told, found=found, delete_ns=deletion(leaves)
                        )
                    if not at.over:
                        raise _Lost
                    return
                checkpoint = await loop.run_in_executor(self._workers, CODEC.dump, state)
                async with at.turn:
                    claim = await self._jobs.advance(
                        at.claim,
                        checkpoint=checkpoint,
                        progress=told,
                        found=found,
                        delete_ns=deletion(leaves),
                    )
                    if claim is None:
                        raise _Lost
                    at.claim = claim
        finally:
            await loop.run_in_executor(self._workers, opening.__exit__, None, None, None)

    async def _fail(self, at: _At, spec: Spec, error: Mapping[str, Json]) -> None:
        with suppress(Unavailable):
            await self._jobs.finish(at.claim, progress=at.claim.job.progress, error=error)
            await asyncio.to_thread(discard, spec)

    async def _back(self, at: _At, *, counted: bool) -> None:
        with suppress(Unavailable):
            await self._jobs.release(at.claim, wait=_RETRY, counted=counted)


class _At:
    """Where a job is: its newest claim, and whether it is finished.

    Who asks for another claim, or renews this one, does so in `turn`: the old claim of a job that goes
    on meanwhile would look as if somebody else had the job.
    """

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.over = False
        self.turn = asyncio.Lock()


def kept(caller: Caller) -> dict[str, Json]:
    """The caller as plain JSON, to ask the law again with."""
    return asdict(caller)


def failure(error: BeholdenError) -> dict[str, Json]:
    """An error as it is kept with the job."""
    told: dict[str, Json] = {
        "code": next(
            (code for kind, code in _CODES.items() if isinstance(error, kind)), "INTERNAL"
        ),
        "reason": error.reason,
        "message": error.message,
    }
    if isinstance(error, Denied):
        told["laws"] = [reason.law for reason in error.decision.reasons]
    return told


def progress(before: Mapping[str, Json], info: VideoInfo, analysis: Analysis) -> dict[str, Json]:
    """What can be told of an analysis so far; `before` has what was known at its start."""
    state = analysis.state
    done = state.next_us if not state.ended else max(info.duration_us, state.segmenter.last_us)
    return {
        **before,
        "format": {
            "container": info.container,
            "codec": info.codec,
            "width": info.width,
            "height": info.height,
            "rate": float(info.rate),
            "duration_us": info.duration_us,
        },
        "done_us": min(done, info.duration_us) if info.duration_us else done,
        "share": 1.0 if state.ended else _share(state.next_us, info.duration_us),
        "frames": state.frames,
        "looked": state.looked,
        "found": state.found,
    }


def _share(done_us: int, duration_us: int) -> float:
    return min(1.0, done_us / duration_us) if duration_us > SECOND // 1000 else 0.0
