"""A worker and its queue: what is cancelled lets go in the middle of a chunk, and of an endless video."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from beholden.core.caller import Caller
from beholden.core.errors import NotFound
from beholden.core.faces import Pixels
from beholden.core.jobs import Job, JobState
from beholden.core.video import Glance, VideoInfo
from beholden.ledger.database import connect
from beholden.ledger.jobs import SqlJobs
from beholden.ledger.sealed_box import SealedBox
from beholden.ledger.settings import JobSettings, LedgerSettings
from beholden.video.features import Feature, Spec
from beholden.video.settings import VideoSettings
from beholden.video.worker import KIND, Worker
from tests import clips

PICTURE = clips.noise(1, (96, 54))
SECOND = 1_000_000_000
FOREVER, SHORT, BROKEN = "forever", "short", "broken"


@dataclass(frozen=True)
class Still:
    """A frame in which nothing happens."""

    index: int
    time_us: int

    @property
    def size(self) -> tuple[int, int]:
        return 96, 54

    def glance(self) -> Glance:
        return PICTURE

    def pixels(self, max_side: int) -> Pixels:
        return PICTURE


class Stills:
    """A clip of so many frames, or without an end; it counts those that were read."""

    info = VideoInfo("mov", "h264", 96, 54, Fraction(10), 0)

    def __init__(self, frames: int | None) -> None:
        self._frames = frames
        self.read = 0

    def frames(self, start_us: int = 0, index: int = 0) -> Iterator[Still]:
        while self._frames is None or index < self._frames:
            self.read += 1
            yield Still(index, index * 100_000)
            index += 1


class Broken(Stills):
    """A clip that no worker gets through; what is wrong with it is no error of ours."""

    def frames(self, start_us: int = 0, index: int = 0) -> Iterator[Still]:
        yield from super().frames(start_us, index)
        raise RuntimeError


class Library:
    """Implements `VideoReader` over clips by name."""

    def __init__(self) -> None:
        self.clips = {FOREVER: Stills(None), SHORT: Stills(20), BROKEN: Broken(5)}
        self.closed: list[str] = []

    @contextmanager
    def open(self, path: Path, *, field: str) -> Iterator[Stills]:
        try:
            yield self.clips[path.name]
        finally:
            self.closed.append(path.name)


class Leave:
    """A law that allows everything, and may want what is found gone by a time."""

    delete_by_ns: int | None = None

    def of(self, caller: Caller, told: Any = None, *, cannot: Any = None) -> "Leave":
        return self

    async def again(self) -> Any:
        raise NotImplementedError

    async def hold(self, work: Callable[[], Awaitable[Any]]) -> Any:
        return await work()


@dataclass
class Room:
    """A queue with one worker."""

    jobs: SqlJobs
    library: Library
    worker: Worker
    law: Leave

    async def put(self, name: str, upload: str = "", delete_ns: int = 0) -> Job:
        caller = Caller("daily-herald", "ada", facts={})
        made = Job(
            id=name.ljust(36, "0"),
            kind=KIND,
            tenant=caller.tenant,
            principal=caller.principal,
            spec=Spec(upload or name, bool(upload), (Feature.SEGMENTS,)).document(),
            caller=asdict(caller),
            created_ns=1,
            delete_ns=delete_ns,
        )
        return await self.jobs.create(made)

    async def until(self, job: Job, state: JobState, chunk: int = 0, most_attempts: int = 1) -> Job:
        while True:
            now = await self.jobs.get(job.tenant, job.id)
            assert now.attempts <= most_attempts, "it is tried again: look into the log"
            if now.state is state and now.chunk >= chunk:
                return now
            await asyncio.sleep(0.01)


class Weighed(SqlJobs):
    """A queue that knows how large the last checkpoints are."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.sizes: list[int] = []

    async def advance(self, claim: Any, *, checkpoint: bytes, **kwargs: Any) -> Any:
        self.sizes.append(len(checkpoint))
        return await super().advance(claim, checkpoint=checkpoint, **kwargs)


class Slow(SqlJobs):
    """A queue whose answers come later than what they tell of."""

    async def advance(self, *args: Any, **kwargs: Any) -> Any:
        told = await super().advance(*args, **kwargs)
        await asyncio.sleep(0.1)
        return told

    async def finish(self, *args: Any, **kwargs: Any) -> Any:
        told = await super().finish(*args, **kwargs)
        await asyncio.sleep(0.1)
        return told


@asynccontextmanager
async def room(
    folder: Path,
    queue: type[SqlJobs] = SqlJobs,
    clock: Callable[[], int] = time.time_ns,
    **settings: Any,
) -> AsyncIterator[Room]:
    database = await asyncio.to_thread(connect, f"sqlite:///{folder}/l.db", LedgerSettings())
    jobs = queue(database, SealedBox(bytes(32)), JobSettings(), clock)
    library, law, absent = Library(), Leave(), None
    own = VideoSettings(spool=folder, poll_seconds=0.02, **settings)
    with ThreadPoolExecutor(2) as threads:
        worker = Worker(
            jobs,
            law,
            library,  # type: ignore[arg-type]
            absent,  # type: ignore[arg-type]
            workers=threads,
            settings=own,
        )
        task = asyncio.create_task(worker.run())
        try:
            yield Room(jobs, library, worker, law)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await jobs.close()


@pytest.mark.parametrize("end", ["cancel", "delete"])
async def test_what_is_ended_lets_go_in_the_middle_of_a_chunk(tmp_path: Path, end: str) -> None:
    """Neither video nor chunk ends, and it is the only worker: the next is done once it let go."""
    async with room(tmp_path, chunk_seconds=1e6) as here:
        endless = await here.put(FOREVER)
        while here.library.clips[FOREVER].read < 10:
            await asyncio.sleep(0.01)
        await getattr(here.jobs, end)(endless.tenant, endless.id)
        short = await here.put(SHORT)
        done = await here.until(short, JobState.SUCCEEDED)
        assert done.progress["frames"] == 20
        assert here.library.closed[0] == FOREVER


async def test_an_endless_video_is_read_chunk_by_chunk(tmp_path: Path) -> None:
    """What is found is written meanwhile, and what is kept between chunks does not grow."""
    async with room(tmp_path, Weighed, chunk_seconds=1) as here:
        endless = await here.put(FOREVER)
        early = await here.until(endless, JobState.RUNNING, chunk=3)
        late = await here.until(endless, JobState.RUNNING, chunk=early.chunk + 20)
        assert int(str(late.progress["frames"])) > int(str(early.progress["frames"]))
        assert replace(late, progress={}, chunk=0) == replace(early, progress={}, chunk=0)
        assert isinstance(here.jobs, Weighed)
        assert here.jobs.sizes[20] - here.jobs.sizes[2] < 40, "longer numbers, and no more of them"


async def test_a_video_that_ends_its_workers_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beholden.video.worker._RETRY", 0.0)
    async with room(tmp_path) as here:
        poison = await here.put(BROKEN)
        over = await here.until(poison, JobState.FAILED, most_attempts=3)
        assert over.error["reason"] == "POISON"
        await here.until(await here.put(SHORT), JobState.SUCCEEDED)
        assert here.library.closed[:3] == [BROKEN] * 3
        assert here.library.clips[BROKEN].read == 15


async def test_the_upload_of_what_is_given_up_is_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("beholden.video.worker._RETRY", 0.0)
    async with room(tmp_path) as here:
        upload = tmp_path / f"{BROKEN.ljust(36, '0')}.video"
        here.library.clips[upload.name] = Broken(5)
        upload.touch()
        poison = await here.put(BROKEN, str(upload))
        await here.until(poison, JobState.FAILED, most_attempts=3)
        assert upload.exists(), "who died with it could not delete it"
        await here.worker.sweep()
        assert not upload.exists()


async def test_a_video_is_gone_when_the_law_wants_it(tmp_path: Path) -> None:
    """The law that wants it came while it was analysed, which ends there, and the upload goes too."""
    now = [SECOND]
    async with room(tmp_path, clock=lambda: now[0], chunk_seconds=1) as here:
        upload = tmp_path / f"{FOREVER.ljust(36, '0')}.video"
        upload.touch()
        here.library.clips[upload.name] = Stills(None)
        endless = await here.put(FOREVER, str(upload))
        early = await here.until(endless, JobState.RUNNING, chunk=1)
        assert early.expire_ns == 0
        here.law.delete_by_ns = 9 * SECOND
        late = await here.until(endless, JobState.RUNNING, chunk=early.chunk + 2)
        assert late.expire_ns == 9 * SECOND
        now[0] = 9 * SECOND
        with pytest.raises(NotFound):
            await here.jobs.get(endless.tenant, endless.id)
        while upload.name not in here.library.closed:
            await asyncio.sleep(0.01)
        await here.worker.sweep()
        assert not upload.exists()


async def test_uploads_that_no_job_waits_for_are_swept(tmp_path: Path) -> None:
    """A server died before it had queued one; another has just come, and one still waits."""
    waits, lost, young = (
        tmp_path / f"{name.ljust(36, '0')}.video" for name in ("forever", "a", "b")
    )
    async with room(tmp_path) as here:
        await here.put(FOREVER)
        for upload in (waits, lost, young):
            upload.touch()
        for upload in (waits, lost):
            os.utime(upload, (0, 0))
        await here.worker.sweep()
    assert [upload.exists() for upload in (waits, lost, young)] == [True, False, True]


async def test_a_job_that_goes_on_is_not_taken_for_somebody_elses(tmp_path: Path) -> None:
    """The lease is renewed every 20 ms: of a chunk, or a job, that is over and not yet told to be."""
    async with room(tmp_path, Slow, chunk_seconds=1) as here:
        upload = tmp_path / SHORT
        upload.touch()
        await here.until(await here.put(SHORT, str(upload)), JobState.SUCCEEDED)
        while upload.exists():
            await asyncio.sleep(0.01)
