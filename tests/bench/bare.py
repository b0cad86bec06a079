"""The embedding pipeline without service, guard or wire: what a call's throughput is held against."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from beholden.catalog.entries import load_catalog
from beholden.catalog.repository import available
from beholden.core.models import FACE_DETECTOR, FACE_EMBEDDER
from beholden.detection.pipeline import DetectionPipeline
from beholden.detection.settings import DetectionSettings
from beholden.embedding.pipeline import EmbeddingPipeline
from beholden.embedding.settings import EmbeddingSettings
from beholden.inference.open import open_inference
from beholden.inference.settings import InferenceSettings


@asynccontextmanager
async def embedding_pipeline(root: Path) -> AsyncIterator[EmbeddingPipeline]:
    """The pipeline as wiring builds it, over the pulled models under `root`."""
    repository = root / "var" / "models"
    catalog = load_catalog(root / "models" / "catalog.yaml")
    detector = available(catalog, repository, FACE_DETECTOR)
    embedder = available(catalog, repository, FACE_EMBEDDER)
    if detector is None or embedder is None:
        raise SystemExit("the models are not pulled: run `make setup`")
    engine = await open_inference("local:", repository, [detector, embedder], InferenceSettings())
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        finder = DetectionPipeline(engine, detector, workers, DetectionSettings())
        yield EmbeddingPipeline(engine, embedder, finder, workers, EmbeddingSettings())
    await engine.close()
