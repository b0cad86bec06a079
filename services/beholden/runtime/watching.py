"""Tells OpenTelemetry of every call to an engine: a span in the call's own trace, and how long it took.

By the semantic conventions for clients. Names of operations and models are told, no argument or answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar, cast

from opentelemetry import metrics, trace
from opentelemetry.metrics import Meter
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from beholden.core.errors import Unavailable
from beholden.core.models import ModelSpec
from beholden.core.ports import FaceStore, InferenceEngine, Jobs, Tensor

SCOPE = "beholden.engines"

Port = TypeVar("Port")

# Those that wait for something to happen, or ask after an engine's health every second or so.
_UNWATCHED = {"changed", "close", "ready", "status"}


def watched(
    engine: Port, name: str, tracer: Tracer | None = None, meter: Meter | None = None
) -> Port:
    """`engine` behind its own port, each of its coroutines told as a call to `name`."""
    return cast("Port", _Watched(engine, _Told(name, tracer, meter)))


def watched_store(
    store: FaceStore, tracer: Tracer | None = None, meter: Meter | None = None
) -> FaceStore:
    """`store`, told as `watched` tells it, with the size of each gallery whenever it is counted."""
    return cast("FaceStore", _WatchedStore(store, _Told("store", tracer, meter)))


def watched_inference(
    engine: InferenceEngine, tracer: Tracer | None = None, meter: Meter | None = None
) -> InferenceEngine:
    """`engine`, told as `watched` tells it, with the model, the size of each batch and what waits."""
    return _WatchedInference(engine, _Told("inference", tracer, meter))


async def watch_jobs(jobs: Jobs, kind: str, seconds: float, meter: Meter | None = None) -> None:
    """Tells every so many seconds how many jobs wait and how many run, until it is cancelled."""
    gauge = (meter or metrics.get_meter(SCOPE)).create_gauge(
        "beholden.jobs", "{job}", "Jobs of all tenants that wait or run."
    )
    while True:
        with suppress(Unavailable):
            for state, count in (await jobs.unfinished(kind)).items():
                gauge.set(count, {"beholden.job.kind": kind, "beholden.job.state": state.value})
        await asyncio.sleep(seconds)


class _Told:
    """The spans and figures of one engine."""

    def __init__(self, engine: str, tracer: Tracer | None, meter: Meter | None) -> None:
        self.engine = engine
        self._tracer = tracer or trace.get_tracer(SCOPE)
        meter = meter or metrics.get_meter(SCOPE)
        self._duration = meter.create_histogram(
            "beholden.engine.call.duration",
            "s",
            "How long an engine took to answer.",
            explicit_bucket_boundaries_advisory=_SECONDS,
        )
        self.batches = meter.create_histogram(
            "beholden.inference.batch.size",
            "{item}",
            "How many items were asked of a model at once.",
            explicit_bucket_boundaries_advisory=_ITEMS,
        )
        self.galleries = meter.create_gauge(
            "beholden.gallery.faces", "{face}", "Faces in a collection when last counted."
        )
        self.waiting = meter.create_up_down_counter(
            "beholden.inference.active_batches",
            "{batch}",
            "Batches that a model has been asked and has not answered.",
        )

    @asynccontextmanager
    async def call(self, operation: str, more: Mapping[str, str]) -> AsyncIterator[None]:
        told = {"beholden.engine": self.engine, "beholden.operation": operation, **more}
        begun = time.perf_counter()
        with self._tracer.start_as_current_span(
            f"{self.engine} {operation}",
            kind=SpanKind.CLIENT,
            attributes=told,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                told[ERROR_TYPE] = type(error).__name__
                span.set_attribute(ERROR_TYPE, type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise
            finally:
                self._duration.record(time.perf_counter() - begun, told)


# The RPC conventions' buckets, so that an engine's share of a call can be read off.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_ITEMS = (1, 2, 4, 8, 16, 32, 64, 128)


class _Watched:
    def __init__(self, engine: Any, told: _Told) -> None:
        self._engine = engine
        self._told = told

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        if (
            not name.startswith("_")
            and name not in _UNWATCHED
            and asyncio.iscoroutinefunction(found)
        ):
            found = self._calling(name, found)
        # Kept as this object's own, so that the next call finds it at once.
        self.__dict__[name] = found
        return found

    def _calling(self, name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        async def told(*args: Any, **kwargs: Any) -> Any:
            async with self._told.call(name, {}):
                return await ask(*args, **kwargs)

        return told


class _WatchedStore(_Watched):
    async def count_faces(self, tenant: str, collection: str) -> int:
        async with self._told.call("count_faces", {}):
            faces: int = await self._engine.count_faces(tenant, collection)
        about = {"beholden.tenant": tenant, "beholden.collection": collection}
        self._told.galleries.set(faces, about)
        return faces


class _WatchedInference:
    def __init__(self, engine: InferenceEngine, told: _Told) -> None:
        self._engine = engine
        self._told = told
        self.ready = engine.ready
        self.close = engine.close

    async def infer(
        self, model: ModelSpec, inputs: Mapping[str, Tensor], *, timeout: float | None = None
    ) -> Mapping[str, Tensor]:
        """See InferenceEngine."""
        about = {"beholden.model": model.id}
        self._told.batches.record(max((len(one) for one in inputs.values()), default=0), about)
        self._told.waiting.add(1, about)
        try:
            async with self._told.call("infer", about):
                return await self._engine.infer(model, inputs, timeout=timeout)
        finally:
            self._told.waiting.add(-1, about)
