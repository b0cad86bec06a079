"""Analyses video while it is made: within a bounded time and memory, and while the law allows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from fractions import Fraction

from beholden.core.caller import Caller
from beholden.core.errors import InvalidArgument, ResourceExhausted
from beholden.core.jobs import Annotation
from beholden.core.models import ModelSpec
from beholden.core.ports import Permissions
from beholden.core.video import Frame, StreamReader
from beholden.video.changes import Changes, Event
from beholden.video.decoding import Decoder
from beholden.video.features import Feature, Spec
from beholden.video.inbox import Dropped, Inbox
from beholden.video.law import Leave, held, lessened, permitted, restricted
from beholden.video.looking import Looking
from beholden.video.sample import Eyes, Sample
from beholden.video.settings import VideoSettings
from beholden.video.state import begin
from beholden.video.stills import StillFrame
from beholden.video.watchlist import WatchList

_RATE = Fraction(10)  # what pictures that come one by one are taken to be shown at
_UNSENT = 4
_UNREADABLE = 10
_RETRY = 5.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a stream's first message asks; None and 0 are the operator's choice."""

    features: tuple[Feature, ...]
    min_confidence: float | None = None
    collection: str = ""
    min_similarity: float | None = None
    max_results: int = 0
    max_latency: float = 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame as a JPEG or PNG; `field` is what it is called in errors."""

    content: bytes
    time_us: int
    field: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next bytes of an encoded stream."""

    content: bytes
    field: str


@dataclass(frozen=True, slots=True)
class Begun:
    """What a stream is analysed for, and by which models."""

    features: tuple[Feature, ...]
    models: list[ModelSpec]


@dataclass(frozen=True, slots=True)
class Told:
    """What happened until `time_us`: events, frames that came too fast, frames that cannot be read."""

    time_us: int
    events: list[Event]
    behind: Dropped | None = None
    unreadable: Dropped | None = None


class LivePipeline:
    """Streams in, events out; a bounded number of streams at a time."""

    def __init__(
        self,
        permissions: Permissions,
        reader: StreamReader,
        eyes: Eyes,
        *,
        workers: Executor,
        settings: VideoSettings,
    ) -> None:
        self._permissions = permissions
        self.reader = reader
        self.eyes = eyes
        self.workers = workers
        self.settings = settings
        self._running = 0

    async def watch(
        self, caller: Caller, asked: Asked, parts: AsyncIterator[Picture | Chunk]
    ) -> AsyncGenerator[Begun | Told]:
        """What the stream is analysed for, and then what happens in it. Raises as AnalyzeStream says."""
        features = tuple(dict.fromkeys(asked.features))
        if stored := {Feature.SEGMENTS, Feature.REDACTION}.intersection(features):
            raise InvalidArgument(
                "start.features", f"must not be {min(stored)}, which is of stored video"
            )
        if Feature.FACE_SEARCH in features and not asked.collection:
            raise InvalidArgument("start.collection", "must be set to search faces")
        leaves = await permitted(self._permissions, caller, features)
        models = self.eyes.models(features)
        if asked.collection:
            await self.eyes.matcher.check(caller.tenant, asked.collection)
        with self._admitted():
            yield Begun(features, models)
            stream = _Stream(self, caller.tenant, asked, leaves)
            async with aclosing(stream.told(parts)) as each:
                async for one in each:
                    yield one

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        if self._running >= self.settings.streams:
            raise ResourceExhausted("the server is at its most streams", retry_after=_RETRY)
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1


class _Stream:
    """One stream, under the leaves that it has."""

    def __init__(
        self, home: LivePipeline, tenant: str, asked: Asked, leaves: Sequence[Leave]
    ) -> None:
        self._home = home
        self._tenant = tenant
        self._leaves = leaves
        settings = home.settings
        self._spec = Spec(
            path="",
            upload=False,
            features=tuple(one.feature for one in leaves),
            min_confidence=asked.min_confidence,
            collection=asked.collection,
            min_similarity=asked.min_similarity,
            max_results=asked.max_results,
        )
        self._inbox = Inbox(
            frames=settings.stream_frames,
            size=settings.stream_bytes,
            seconds=asked.max_latency or settings.stream_latency,
        )
        self._unsent: asyncio.Queue[Told] = asyncio.Queue(_UNSENT)
        self._decoder: Decoder | None = None
        self._state = begin(settings)
        self._looking: Looking | None = None
        self._changes = Changes()
        searches = Feature.FACE_SEARCH in self._spec.features
        self._watch_list = (
            WatchList(home.eyes.matcher, tenant, self._searched) if searches else None
        )
        self._unreadable = 0

    async def told(self, parts: AsyncIterator[Picture | Chunk]) -> AsyncGenerator[Told]:
        """What happens, until the stream ends, or the law ends it."""
        working = asyncio.ensure_future(held(self._leaves, lambda: self._work(parts)))
        try:
            while True:
                getting = asyncio.ensure_future(self._unsent.get())
                await asyncio.wait((getting, working), return_when=asyncio.FIRST_COMPLETED)
                if not getting.done():
                    getting.cancel()
                    break
                yield getting.result()
            await working
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def _work(self, parts: AsyncIterator[Picture | Chunk]) -> None:
        reading = asyncio.create_task(self._read(parts))
        try:
            while (taken := await self._inbox.take(self._home.settings.batch)) is not None:
                await self._look(taken.frames, taken.dropped)
            if self._looking is not None:
                end_us = self._state.segmenter.last_us + self._looking.frame_us
                found = await self._looking.finish(end_us)
                await self._tell(Told(end_us, self._events(found)))
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            if self._decoder is not None:
                await self._decoder.stop()

    async def _read(self, parts: AsyncIterator[Picture | Chunk]) -> None:
        """Takes what comes as fast as it comes, but for what has to be decoded whole."""
        try:
            await self._take(parts)
        except Exception as error:  # noqa: BLE001 - who looks at the frames ends with it
            self._inbox.end(error)
        else:
            if self._decoder is None:
                self._inbox.end()
            else:
                self._decoder.close()

    async def _take(self, parts: AsyncIterator[Picture | Chunk]) -> None:
        home, last_us, index = self._home, -1, 0
        async for part in parts:
            if isinstance(part, Chunk) and index == 0:
                if self._decoder is None:
                    self._decoder = Decoder(
                        home.reader, self._inbox, size=home.settings.stream_bytes
                    )
                await self._decoder.write(part.content)
            elif isinstance(part, Picture) and self._decoder is None:
                if part.time_us <= last_us:
                    raise InvalidArgument(
                        f"{part.field}.offset", "must be later than that of the frame before"
                    )
                frame = StillFrame(
                    part.content,
                    part.time_us,
                    index,
                    side=home.settings.side,
                    field=f"{part.field}.content",
                )
                self._inbox.put(frame, len(part.content))
                last_us, index = part.time_us, index + 1
            else:
                raise InvalidArgument(part.field, "must be as the first one was: frame or chunk")

    async def _look(self, frames: list[Frame], behind: Dropped | None) -> None:
        loop = asyncio.get_running_loop()
        samples, unreadable = await loop.run_in_executor(self._home.workers, self._chosen, frames)
        found: list[Annotation] = []
        if samples and self._looking is not None:
            found += await self._looking.see(samples)
        time_us = frames[-1].time_us
        if self._watch_list is not None:
            found += await self._watch_list.look(self._state.faces.following, time_us)
        await self._tell(Told(time_us, self._events(found), behind, unreadable))

    def _chosen(self, frames: list[Frame]) -> tuple[list[Sample], Dropped | None]:
        """The frames to be looked at, and those that cannot be read. Raises InvalidArgument: too many."""
        samples: list[Sample] = []
        bad: list[int] = []
        for frame in frames:
            try:
                sample, _ = self._looked_at(frame).choose(frame)
            except InvalidArgument:
                bad.append(frame.time_us)
                self._unreadable += 1
                if self._unreadable >= _UNREADABLE:
                    raise
                continue
            self._unreadable = 0
            if sample is not None:
                samples.append(sample)
        return samples, Dropped(len(bad), bad[0], bad[-1]) if bad else None

    def _looked_at(self, frame: Frame) -> Looking:
        if self._looking is None:
            width, height = frame.size
            self._looking = Looking(
                self._spec,
                self._tenant,
                self._home.eyes,
                self._state,
                aspect=width / height,
                rate=_RATE,
                settings=self._home.settings,
                live=True,
            )
        return self._looking

    async def _tell(self, told: Told) -> None:
        if told.events or told.behind or told.unreadable:
            await self._unsent.put(told)

    def _events(self, found: Sequence[Annotation]) -> list[Event]:
        decisions = {one.feature: one.decision for one in self._leaves}
        allowed = [lessened(one, decisions[Feature(one.feature)]) for one in found]
        return self._changes.of(
            [
                one
                for one in allowed
                if one.feature != Feature.FACE_SEARCH or one.detail["candidates"]
            ]
        )

    def _searched(self) -> Spec:
        return restricted(self._spec, {one.feature: one.decision for one in self._leaves})
