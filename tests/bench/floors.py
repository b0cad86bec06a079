"""What a service's throughput is held against: the same work without service, guard and wire."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from tritonclient.grpc import InferInput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import np_to_triton_dtype

from beholden.catalog.entries import load_catalog
from beholden.catalog.repository import available
from beholden.core.models import FACE_DETECTOR, FACE_EMBEDDER, ModelSpec
from beholden.core.ports import InferenceEngine, Tensor
from beholden.detection.pipeline import DetectionPipeline
from beholden.detection.settings import DetectionSettings
from beholden.embedding.pipeline import EmbeddingPipeline
from beholden.embedding.settings import EmbeddingSettings
from beholden.inference.open import open_inference
from beholden.inference.settings import InferenceSettings
from tests.house import MODELS, ROOT

Ask = Callable[[], Awaitable[object]]


def _models() -> tuple[ModelSpec, ModelSpec]:
    catalog = load_catalog(ROOT / "models" / "catalog.yaml")
    found = [available(catalog, MODELS, role) for role in (FACE_DETECTOR, FACE_EMBEDDER)]
    if found[0] is None or found[1] is None:
        raise SystemExit("the models are not pulled: run `make setup`")
    return found[0], found[1]


@asynccontextmanager
async def _pipeline(wrap: Callable[[InferenceEngine], Any]) -> AsyncIterator[EmbeddingPipeline]:
    detector, embedder = _models()
    engine = await open_inference("local:", MODELS, [detector, embedder], InferenceSettings())
    watched = wrap(engine)
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        finder = DetectionPipeline(watched, detector, workers, DetectionSettings())
        yield EmbeddingPipeline(watched, embedder, finder, workers, EmbeddingSettings())
    await engine.close()


@asynccontextmanager
async def bare_pipeline(content: bytes) -> AsyncIterator[Ask]:
    """The embedding pipeline in this process, asked to embed one picture."""
    async with _pipeline(lambda engine: engine) as pipeline:
        yield lambda: pipeline.embed(content)


class _Recorder:
    """An engine that keeps what it is asked."""

    def __init__(self, engine: InferenceEngine) -> None:
        self._engine = engine
        self.asked: list[tuple[ModelSpec, Mapping[str, Tensor]]] = []

    async def infer(self, model: ModelSpec, inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """Keeps and passes on."""
        self.asked.append((model, inputs))
        return await self._engine.infer(model, inputs)


@asynccontextmanager
async def triton_alone(content: bytes, address: str) -> AsyncIterator[Ask]:
    """The tensors that embedding one picture takes, sent to Triton by its own client."""
    recorders: list[_Recorder] = []

    def record(engine: InferenceEngine) -> _Recorder:
        recorders.append(_Recorder(engine))
        return recorders[-1]

    async with _pipeline(record) as pipeline:
        await pipeline.embed(content)
    client: Any = InferenceServerClient(address)
    steps = []
    for model, inputs in recorders[0].asked:
        tensors = []
        for name, tensor in inputs.items():
            one = InferInput(name, list(tensor.shape), np_to_triton_dtype(tensor.dtype))
            one.set_data_from_numpy(np.ascontiguousarray(tensor))
            tensors.append(one)
        steps.append((model.name, tensors))

    async def ask() -> None:
        for name, tensors in steps:
            await client.infer(name, tensors)

    try:
        yield ask
    finally:
        await client.close()
        await asyncio.sleep(0)
