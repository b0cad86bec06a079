"""The FaceStore over Milvus, in process or on a server."""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import grpc
import numpy as np
from pymilvus import MilvusException

from beholden.core.errors import FailedPrecondition, InvalidArgument, NotFound, Unavailable
from beholden.core.faces import Template
from beholden.core.gallery import Collection, Face, Match, Page
from beholden.core.paging import check_page_size, decode_token, encode_token
from beholden.store.backend import Backend
from beholden.store.catalog import Catalog
from beholden.store.rows import (
    Entry,
    checked_templates,
    entry_of,
    face_id,
    face_keys,
    faces_after,
    faces_to_rows,
    row_to_face,
)
from beholden.store.schema import (
    dimensions,
    ensure_catalog,
    ensure_faces,
    faces_name,
    migrate,
)
from beholden.store.settings import StoreSettings

P = ParamSpec("P")
T = TypeVar("T")

_FIELDS = ("id", "template", "detail")

_log = logging.getLogger(__name__)


class MilvusStore:
    """Every call runs on threads of its own; the event loop only waits.

    A face's rows are in the scope of its collection's present life (see rows.py), so that what a
    deletion leaves behind when it is cut short is never seen again, and is removed on opening.
    """

    def __init__(self, backend: Backend, settings: StoreSettings) -> None:
        """Blocking. Raises FailedPrecondition for a newer schema and for lost rows."""
        self._backend = backend
        self._settings = settings
        self._closed = False
        client = backend.client.milvus
        migrate(client, settings.prefix)
        catalog = ensure_catalog(client, backend.index, settings)
        self._dimensions = set(dimensions(client, settings.prefix))
        for dimension in self._dimensions:
            ensure_faces(client, dimension, backend.index, settings)
        backend.opened()
        seconds = settings.catalog_seconds if backend.shared else math.inf
        self._catalog = Catalog(backend, catalog, seconds)
        for entry in self._catalog.retired():
            self._purge(entry)
        self._threads = ThreadPoolExecutor(backend.threads, "milvus")

    async def create_collection(self, collection: Collection) -> None:
        """Durable on return. Raises AlreadyExists, InvalidArgument (names, dimension)."""
        await self._run(self._create, collection)

    async def get_collection(self, tenant: str, collection: str) -> Collection:
        """Raises NotFound."""
        return (await self._run(self._catalog.get, tenant, collection)).collection

    async def list_collections(
        self, tenant: str, *, page_size: int, page_token: str = ""
    ) -> Page[Collection]:
        """By id, ascending. Raises InvalidArgument (page size, page token)."""
        size = check_page_size(page_size, self._settings.max_page)
        listing = ("collections", tenant)
        after = str(decode_token(listing, page_token)[0]) if page_token else ""
        entries = await self._run(self._catalog.page, tenant, after, size + 1)
        items = tuple(entry.collection for entry in entries[:size])
        return Page(items, encode_token(listing, [items[-1].id]) if len(entries) > size else "")

    async def delete_collection(self, tenant: str, collection: str) -> int:
        """Removes it with all its faces and says how many those were. Raises NotFound."""
        return await self._run(self._delete, tenant, collection)

    async def count_faces(self, tenant: str, collection: str) -> int:
        """Raises NotFound."""
        return await self._run(self._count, tenant, collection)

    async def add_faces(self, tenant: str, collection: str, faces: Sequence[Face]) -> None:
        """Durable and searchable on return, from this process and any other.

        Raises NotFound, InvalidArgument; all or nothing.
        """
        self._check_many("faces", faces)
        entry = await self._run(self._catalog.get, tenant, collection)
        rows = faces_to_rows(entry.scope, faces, entry.collection.dimension)
        if not rows:
            return
        await self._run(self._backend.put, self._faces(entry), rows)
        try:
            # Both wait for the server's next tick, so they wait together.
            await asyncio.gather(
                self._run(self._backend.confirm, self._faces(entry), rows),
                self._run(self._catalog.confirm, entry),
            )
        except NotFound:
            await self._run(self._backend.purge, self._faces(entry), entry.scope)
            raise

    async def get_faces(self, tenant: str, collection: str, ids: Sequence[str]) -> tuple[Face, ...]:
        """Those of `ids` that are there, each once, in the order asked. Raises NotFound."""
        self._check_many("ids", ids)
        return await self._run(self._get, tenant, collection, ids)

    async def list_faces(
        self, tenant: str, collection: str, *, page_size: int, page_token: str = ""
    ) -> Page[Face]:
        """By face id, ascending. Raises NotFound, InvalidArgument (page size, page token)."""
        size = check_page_size(page_size, self._settings.max_page)
        listing = ("faces", tenant, collection)
        after = str(decode_token(listing, page_token)[0]) if page_token else ""
        faces = await self._run(self._page, tenant, collection, after, size + 1)
        items = faces[:size]
        return Page(items, encode_token(listing, [items[-1].id]) if len(faces) > size else "")

    async def delete_faces(
        self, tenant: str, collection: str, ids: Sequence[str]
    ) -> tuple[str, ...]:
        """Removes those that are there and returns their ids; not searchable on return."""
        self._check_many("ids", ids)
        return await self._run(self._remove, tenant, collection, ids)

    async def search(
        self,
        tenant: str,
        collection: str,
        template: Template,
        *,
        limit: int,
        min_cosine: float = -1.0,
    ) -> tuple[Match, ...]:
        """The nearest, cosine descending then id, at most `limit`. Raises NotFound, InvalidArgument."""
        if not 1 <= limit <= self._settings.max_results:
            raise InvalidArgument("limit", f"must be 1 to {self._settings.max_results}")
        if not -1.0 <= min_cosine <= 1.0:
            raise InvalidArgument("min_cosine", "must be -1 to 1")
        return await self._run(self._search, tenant, collection, template, limit, min_cosine)

    async def ready(self) -> bool:
        """Whether the store can be asked now."""
        try:
            return await self._run(self._catalog.answers)
        except (Unavailable, FailedPrecondition):
            return False

    async def close(self) -> None:
        """Finishes what was begun and lets go; further calls raise Unavailable."""
        if not self._closed:
            self._closed = True
            await asyncio.to_thread(self._threads.shutdown)
            await asyncio.to_thread(self._backend.close)

    def _create(self, collection: Collection) -> None:
        entry = entry_of(collection)
        if collection.dimension not in self._dimensions:
            ensure_faces(
                self._backend.client.milvus,
                collection.dimension,
                self._backend.index,
                self._settings,
            )
            self._dimensions.add(collection.dimension)
        self._catalog.add(entry)

    def _delete(self, tenant: str, collection: str) -> int:
        return self._purge(self._catalog.retire(tenant, collection))

    def _purge(self, entry: Entry) -> int:
        count = self._backend.purge(self._faces(entry), entry.scope)
        self._catalog.remove(entry)
        return count

    def _count(self, tenant: str, collection: str) -> int:
        entry = self._catalog.get(tenant, collection)
        return self._backend.count(self._faces(entry), entry.scope)

    def _get(self, tenant: str, collection: str, ids: Sequence[str]) -> tuple[Face, ...]:
        entry = self._catalog.get(tenant, collection)
        keys = face_keys(entry.scope, ids)
        rows = self._backend.client.by_id(self._faces(entry), keys, _FIELDS)
        found = {row["id"]: row for row in rows}
        return tuple(row_to_face(found[key]) for key in keys if key in found)

    def _page(self, tenant: str, collection: str, after: str, limit: int) -> tuple[Face, ...]:
        entry = self._catalog.get(tenant, collection)
        expression = faces_after(entry.scope, after)
        rows = self._backend.client.page(self._faces(entry), expression, _FIELDS, limit)
        return tuple(map(row_to_face, rows))

    def _remove(self, tenant: str, collection: str, ids: Sequence[str]) -> tuple[str, ...]:
        entry = self._catalog.get(tenant, collection)
        keys = face_keys(entry.scope, ids)
        removed = self._backend.remove(self._faces(entry), entry.scope, keys)
        return tuple(map(face_id, removed))

    def _search(
        self, tenant: str, collection: str, template: Template, limit: int, min_cosine: float
    ) -> tuple[Match, ...]:
        entry = self._catalog.get(tenant, collection)
        (probe,) = checked_templates("template", [template], entry.collection.dimension)
        params = {"ef": max(self._settings.hnsw_ef, limit)} if self._backend.index == "HNSW" else {}
        rows = self._backend.client.nearest(self._faces(entry), entry.scope, probe, limit, params)
        # Cosines of our own: an engine's differ in the last digits from segment to segment.
        matches = [
            Match(face, float(np.clip(np.dot(face.template.astype(np.float64), probe), -1, 1)))
            for face in {row["id"]: row_to_face(row) for row in rows}.values()
        ]
        close = [match for match in matches if match.cosine >= min_cosine]
        return tuple(sorted(close, key=lambda match: (-match.cosine, match.face.id)))

    def _faces(self, entry: Entry) -> str:
        return faces_name(self._settings.prefix, entry.collection.dimension)

    def _check_many(self, field: str, items: Sequence[object]) -> None:
        if len(items) > self._settings.max_faces:
            raise InvalidArgument(field, f"must be at most {self._settings.max_faces}")

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._closed:
            raise Unavailable("milvus", "is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: translated(work, *args, **kwargs))


def translated(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs `work`; whatever Milvus, its connection or the disk raise becomes Unavailable."""
    try:
        return work(*args, **kwargs)
    except (MilvusException, grpc.RpcError, sqlite3.Error, OSError) as error:
        _log.error("milvus failed: %s", str(error)[:500])
        raise Unavailable("milvus", f"does not answer ({type(error).__name__})") from error
