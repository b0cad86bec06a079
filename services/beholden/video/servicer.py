"""VideoService and its operations on the wire: translates, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from google.longrunning import operations_pb2
from google.longrunning.operations_grpc_pb2 import OperationsServicer
from google.protobuf.empty_pb2 import Empty

from beholden.core.caller import caller
from beholden.core.errors import InvalidArgument
from beholden.core.jobs import Wanted
from beholden.v1 import video_pb2, video_pb2_grpc
from beholden.video.features import Feature, read_spec
from beholden.video.live import Asked, Begun, Chunk, LivePipeline, Picture
from beholden.video.pipeline import Request, VideoPipeline
from beholden.video.worker import KIND
from beholden.wire import video as wire

_POLL = 0.1
_WAIT = 20.0
_PAGE = 100
_ID = 36
_LEAST_LATENCY, _MOST_LATENCY = 0.1, 30.0


class VideoServicer(video_pb2_grpc.VideoServiceServicer):
    """See protos/beholden/v1/video.proto."""

    def __init__(self, pipeline: VideoPipeline, live: LivePipeline) -> None:
        self._pipeline = pipeline
        self._live = live

    async def AnalyzeVideo(
        self, request: video_pb2.AnalyzeVideoRequest, context: Any
    ) -> operations_pb2.Operation:
        """Begins the analysis of a video."""
        job = await self._pipeline.begin(
            caller(),
            Request(
                content=request.video.content,
                file=request.video.file,
                features=_features(request.features),
                min_confidence=(
                    request.min_confidence if request.HasField("min_confidence") else None
                ),
                collection=request.collection.removeprefix("collections/"),
                min_similarity=(
                    request.min_similarity if request.HasField("min_similarity") else None
                ),
                max_results=request.max_results,
                priority=request.priority,
                request_id=request.request_id.lower(),
                every_frame=request.every_frame,
            ),
        )
        return wire.operation(job)

    async def ListVideoAnnotations(
        self, request: video_pb2.ListVideoAnnotationsRequest, context: Any
    ) -> video_pb2.ListVideoAnnotationsResponse:
        """Lists what an operation found so far."""
        asked = operation_id(request.operation)
        page, refused = await self._pipeline.annotations(
            caller(),
            asked,
            Wanted(
                features=_features(request.features),
                name=request.name,
                spans=request.aggregate_by != video_pb2.VIDEO_AGGREGATE_FRAME,
                by_name=request.order_by == video_pb2.VIDEO_ORDER_NAME,
            ),
            page_size=request.page_size,
            page_token=request.page_token,
        )
        job = await self._pipeline.jobs.get(caller().tenant, asked)
        collection = read_spec(job.spec).collection
        return video_pb2.ListVideoAnnotationsResponse(
            annotations=[wire.annotation(one, collection) for one in page.items],
            next_page_token=page.next_token,
            refused_features=[wire.refused(feature, denied) for feature, denied in refused.items()],
        )

    async def AnalyzeStream(
        self, messages: AsyncIterator[video_pb2.AnalyzeStreamRequest], context: Any
    ) -> AsyncGenerator[video_pb2.AnalyzeStreamResponse]:
        """Tells what happens in a stream."""
        first = await anext(aiter(messages))
        if not first.HasField("start"):
            raise InvalidArgument("start", "must be the stream's first message")
        start = first.start
        asked = Asked(
            features=_features(start.features, "start.features"),
            min_confidence=start.min_confidence if start.HasField("min_confidence") else None,
            collection=start.collection.removeprefix("collections/"),
            min_similarity=start.min_similarity if start.HasField("min_similarity") else None,
            max_results=start.max_results,
            max_latency=_latency(start),
        )
        async with aclosing(self._live.watch(caller(), asked, _parts(messages))) as told:
            async for one in told:
                if isinstance(one, Begun):
                    yield wire.begun(one.features, one.models)
                    continue
                yield video_pb2.AnalyzeStreamResponse(
                    offset=wire.duration(one.time_us),
                    events=[
                        wire.event(event.change.value, event.about, asked.collection)
                        for event in one.events
                    ],
                    dropped=[
                        wire.dropped(reason, gone.count, gone.first_us, gone.last_us)
                        for reason, gone in (("BEHIND", one.behind), ("UNREADABLE", one.unreadable))
                        if gone is not None
                    ],
                )


class VideoOperations(OperationsServicer):  # type: ignore[misc]
    """google.longrunning.Operations over the tenant's own videos."""

    def __init__(self, pipeline: VideoPipeline) -> None:
        self._pipeline = pipeline

    async def GetOperation(
        self, request: operations_pb2.GetOperationRequest, context: Any
    ) -> operations_pb2.Operation:
        """Returns one operation."""
        return wire.operation(
            await self._pipeline.jobs.get(caller().tenant, operation_id(request.name))
        )

    async def ListOperations(
        self, request: operations_pb2.ListOperationsRequest, context: Any
    ) -> operations_pb2.ListOperationsResponse:
        """Lists the tenant's operations, newest first."""
        if request.filter:
            raise InvalidArgument("filter", "is not known here; leave it out")
        if request.name not in ("", "operations"):
            raise InvalidArgument("name", "must be operations")
        if request.page_size < 0:
            raise InvalidArgument("page_size", "must be at least 0")
        page = await self._pipeline.jobs.list(
            caller().tenant,
            KIND,
            page_size=request.page_size or _PAGE,
            page_token=request.page_token,
        )
        return operations_pb2.ListOperationsResponse(
            operations=map(wire.operation, page.items), next_page_token=page.next_token
        )

    async def CancelOperation(
        self, request: operations_pb2.CancelOperationRequest, context: Any
    ) -> Empty:
        """Ends an operation; one that is over stays as it is."""
        await self._pipeline.cancel(caller().tenant, operation_id(request.name))
        return Empty()

    async def DeleteOperation(
        self, request: operations_pb2.DeleteOperationRequest, context: Any
    ) -> Empty:
        """Ends an operation and removes it with all that it found."""
        await self._pipeline.delete(caller().tenant, operation_id(request.name))
        return Empty()

    async def WaitOperation(
        self, request: operations_pb2.WaitOperationRequest, context: Any
    ) -> operations_pb2.Operation:
        """Returns the operation once it is over, or as it is after the timeout, 20 s at most."""
        job_id, tenant = operation_id(request.name), caller().tenant
        asked = request.timeout.ToTimedelta().total_seconds() or _WAIT
        end = asyncio.get_running_loop().time() + min(asked, _WAIT)
        while True:
            job = await self._pipeline.jobs.get(tenant, job_id)
            if job.state.over or asyncio.get_running_loop().time() >= end:
                return wire.operation(job)
            await asyncio.sleep(_POLL)


def operation_id(name: str) -> str:
    """The id in `operations/{operation}`. Raises InvalidArgument for another name."""
    folder, _, own = name.partition("/")
    if folder != "operations" or len(own) != _ID:
        raise InvalidArgument("name", "must be operations/{operation}")
    return own


async def _parts(
    messages: AsyncIterator[video_pb2.AnalyzeStreamRequest],
) -> AsyncGenerator[Picture | Chunk]:
    number = 0
    async for message in messages:
        number += 1
        part, where = message.part, f"messages[{number}].part"
        match part.WhichOneof("source"):
            case "frame":
                time_us = part.frame.offset.ToMicroseconds()
                yield Picture(part.frame.content, time_us, f"{where}.frame")
            case "chunk":
                yield Chunk(part.chunk.content, f"{where}.chunk")
            case _:
                raise InvalidArgument(where, "must set frame or chunk")


def _latency(start: video_pb2.StreamStart) -> float:
    """Seconds; 0 where nothing is said. Raises InvalidArgument."""
    if not start.HasField("max_latency"):
        return 0.0
    seconds = start.max_latency.ToMicroseconds() / 1e6
    if not _LEAST_LATENCY <= seconds <= _MOST_LATENCY:
        raise InvalidArgument(
            "start.max_latency", f"must be from {_LEAST_LATENCY:g} s to {_MOST_LATENCY:g} s"
        )
    return float(seconds)


def _features(numbers: Any, field: str = "features") -> tuple[Feature, ...]:
    if video_pb2.VIDEO_FEATURE_UNSPECIFIED in numbers:
        raise InvalidArgument(field, "must each be a feature, not VIDEO_FEATURE_UNSPECIFIED")
    return tuple(Feature(wire.feature_name(number)) for number in numbers)
