"""The engines under the FaceStore, and faces to put into them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pymilvus import MilvusClient

from beholden.core.faces import Template
from beholden.core.gallery import Collection, Face, Provenance
from beholden.core.geometry import Box
from beholden.core.ports import FaceStore
from beholden.store.open import open_store
from beholden.store.settings import StoreSettings
from tests import engines

ENGINES = ("lite", "milvus") if engines.offered("milvus") else ("lite",)
DIMENSION = 16


@dataclass(frozen=True)
class Place:
    """Where a store is opened: a database of its own, or a server that other tests share."""

    url: str
    prefix: str = "beholden"

    @asynccontextmanager
    async def opened(self, **settings: object) -> AsyncIterator[FaceStore]:
        """A store of its own, closed afterwards."""
        store = await open_store(self.url, StoreSettings(prefix=self.prefix, **settings))
        try:
            yield store
        finally:
            await store.close()


def lite(folder: Path) -> Place:
    """A new Milvus Lite database."""
    return Place(f"file:{folder / 'faces.db'}")


@contextmanager
def milvus() -> Iterator[Place]:
    """The test server, under a prefix of its own that is dropped afterwards."""
    server = engines.server("milvus")
    prefix = f"test_{uuid.uuid4().hex[:12]}"
    try:
        yield Place(server, prefix)
    finally:
        client = MilvusClient(server)
        for name in client.list_collections():
            if name.startswith(prefix):
                client.drop_collection(name)
        client.close()


def collection(tenant: str, id: str = "people", **changes: object) -> Collection:
    """A collection like any other, with `changes`."""
    fields: dict[str, object] = {
        "model": "dlib@1",
        "dimension": DIMENSION,
        "created_ns": 1_600_000_000_123_456_789,
        "display_name": "People",
    }
    return Collection(tenant, id, **{**fields, **changes})  # type: ignore[arg-type]


def unit(vector: np.ndarray) -> Template:
    """The vector at length 1."""
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def templates(count: int, seed: int = 0, dimension: int = DIMENSION) -> list[Template]:
    """Unit vectors in all directions."""
    return [unit(row) for row in np.random.default_rng(seed).normal(size=(count, dimension))]


def face(template: Template, id: str | None = None, **changes: object) -> Face:
    """A face like any other, with `changes`."""
    fields: dict[str, object] = {
        "external_image_id": "portrait.jpg",
        "media_sha256": "ab" * 32,
        "box": Box(0.1, 0.2, 0.30000000000000004, 1 / 3),
        "confidence": 0.987654321,
        "enrolled_ns": 1_700_000_000_123_456_789,
        "enrolled_by": "alice",
        "provenance": Provenance("passport office", "consent", "c-1", 2**53 + 1, 2**62 + 1),
    }
    return Face(
        id=id or str(uuid.uuid4()),
        template=template,
        **{**fields, **changes},  # type: ignore[arg-type]
    )


def faces(count: int, seed: int = 0) -> list[Face]:
    """Faces in all directions, in order of id."""
    return sorted((face(one) for one in templates(count, seed)), key=lambda made: made.id)
