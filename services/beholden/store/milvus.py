"""The FaceStore over Milvus, in process or on a server."""

from __future__ import annotations

import asyncio
import logging
import math
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Concatenate, ParamSpec, TypeVar

import grpc
from pymilvus import MilvusException

from beholden.core.errors import FailedPrecondition, InvalidArgument, NotFound, Unavailable
from beholden.core.faces import Template
from beholden.core.gallery import (
    EVERY_FACE,
    Association,
    Collection,
    DueFace,
    Face,
    FaceFilter,
    Match,
    Page,
    Person,
    PersonMatch,
)
from beholden.core.paging import check_page_size, decode_token, encode_token
from beholden.store.backend import Backend
from beholden.store.catalog import Catalog
from beholden.store.faces import Faces
from beholden.store.migrations import migrate
from beholden.store.people import People
from beholden.store.rows import (
    Entry,
    entry_of,
    face_id,
    face_keys,
    is_wanted,
)
from beholden.store.schema import (
    dimensions,
    ensure_catalog,
    ensure_faces,
    ensure_members,
    ensure_people,
)
from beholden.store.settings import StoreSettings

P = ParamSpec("P")
T = TypeVar("T")

_MINUTE_NS = 60 * 10**9

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
        migrate(backend, settings)
        client = backend.client.milvus
        catalog = ensure_catalog(client, backend.indexes, settings)
        ensure_members(client, backend.indexes, settings)
        self._dimensions = set(dimensions(client, settings.prefix))
        for dimension in self._dimensions:
            self._ensure(dimension)
        backend.opened()
        seconds = settings.catalog_seconds if backend.shared else math.inf
        self._catalog = Catalog(backend, catalog, seconds)
        self._faces = Faces(backend, settings)
        self._people = People(backend, settings.prefix, self._faces)
        for entry in self._catalog.retired():
            self._purge(entry)
        self._repair()
        self._threads = ThreadPoolExecutor(backend.threads, "milvus")

    async def create_collection(self, collection: Collection) -> None:
        """Durable on return. Raises AlreadyExists, InvalidArgument (names, dimension)."""
        await self._run(self._create, collection)

    async def get_collection(self, tenant: str, collection: str) -> Collection:
        """Raises NotFound."""
        return (await self._entry(tenant, collection)).collection

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

    async def every_collection(self, *, page_size: int, page_token: str = "") -> Page[Collection]:
        """Of all tenants, a tenant's together. Raises InvalidArgument (page size, page token)."""
        size = check_page_size(page_size, self._settings.max_page)
        after = str(decode_token(("everything",), page_token)[0]) if page_token else ""
        entries = await self._run(self._catalog.everything, after, size + 1)
        items = tuple(entry.collection for entry in entries[:size])
        token = encode_token(("everything",), [entries[size - 1].id]) if len(entries) > size else ""
        return Page(items, token)

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
        entry = await self._entry(tenant, collection)
        if not faces:
            return
        rows = await self._run(self._faces.put, entry, faces)
        try:
            # Both wait for the server's next tick, so they wait together.
            await asyncio.gather(
                self._run(self._backend.confirm, self._faces.name(entry), rows),
                self._run(self._catalog.confirm, entry),
            )
        except NotFound:
            await self._run(self._purge_rows, entry)
            raise

    async def get_faces(self, tenant: str, collection: str, ids: Sequence[str]) -> tuple[Face, ...]:
        """Those of `ids` that are there, each once, in the order asked. Raises NotFound."""
        self._check_many("ids", ids)
        entry = await self._entry(tenant, collection)
        return await self._run(self._faces.get, entry, ids)

    async def list_faces(
        self,
        tenant: str,
        collection: str,
        *,
        page_size: int,
        page_token: str = "",
        wanted: FaceFilter = EVERY_FACE,
    ) -> Page[Face]:
        """Those `wanted`, by face id, ascending. Raises NotFound, InvalidArgument."""
        size = check_page_size(page_size, self._settings.max_page)
        listing = ("faces", tenant, collection, repr(wanted))
        after = str(decode_token(listing, page_token)[0]) if page_token else ""
        entry = await self._entry(tenant, collection)
        faces = await self._run(self._page, entry, after, size + 1, wanted)
        items = faces[:size]
        return Page(
            tuple(face for face in items if is_wanted(face, wanted)),
            encode_token(listing, [items[-1].id]) if len(faces) > size else "",
        )

    async def delete_faces(
        self, tenant: str, collection: str, ids: Sequence[str]
    ) -> tuple[str, ...]:
        """Removes those that are there and returns their ids; not searchable on return.

        A person's face is first taken from them.
        """
        self._check_many("ids", ids)
        entry = await self._entry(tenant, collection)
        return await self._run(self._remove, entry, ids)

    async def due_faces(
        self, *, before_ns: int, consents: Sequence[str], limit: int
    ) -> tuple[DueFace, ...]:
        """Up to `limit` faces of all tenants that expire before an instant or name one of `consents`."""
        return await self._run(self._due, before_ns, consents, limit)

    async def search(
        self,
        tenant: str,
        collection: str,
        template: Template,
        *,
        limit: int,
        min_cosine: float = -1.0,
    ) -> tuple[Match, ...]:
        """See `FaceStore.search`."""
        self._check_bounds(limit, min_cosine)
        entry = await self._entry(tenant, collection)
        return await self._run(self._faces.nearest, entry, template, limit, min_cosine)

    async def create_person(self, tenant: str, collection: str, person: Person) -> Person:
        """Makes them without a face; durable on return. Raises NotFound (collection), AlreadyExists."""
        return await self._changed(tenant, collection, self._people.add, person)

    async def get_person(self, tenant: str, collection: str, person: str) -> Person:
        """Raises NotFound."""
        entry = await self._entry(tenant, collection)
        return await self._run(self._people.get, entry, person)

    async def list_people(
        self, tenant: str, collection: str, *, page_size: int, page_token: str = ""
    ) -> Page[Person]:
        """By id, ascending. Raises NotFound, InvalidArgument (page size, page token)."""
        size = check_page_size(page_size, self._settings.max_page)
        listing = ("people", tenant, collection)
        after = str(decode_token(listing, page_token)[0]) if page_token else ""
        entry = await self._entry(tenant, collection)
        people = await self._run(self._people.page, entry, after, size + 1)
        items = tuple(people[:size])
        return Page(items, encode_token(listing, [items[-1].id]) if len(people) > size else "")

    async def count_people(self, tenant: str, collection: str) -> int:
        """Those without a face among them, and at times one twice who is being changed. Raises NotFound."""
        entry = await self._entry(tenant, collection)
        return await self._run(self._people.count, entry)

    async def delete_person(self, tenant: str, collection: str, person: str) -> Person:
        """Who it was; their faces stay, and are nobody's. Raises NotFound."""
        return await self._changed(tenant, collection, self._people.remove, person)

    async def associate_faces(
        self, tenant: str, collection: str, person: str, faces: Sequence[str]
    ) -> Association:
        """Makes faces a person's; searched by them on return. Raises NotFound."""
        self._check_many("faces", faces)
        return await self._changed(tenant, collection, self._people.associate, person, faces)

    async def disassociate_faces(
        self, tenant: str, collection: str, person: str, faces: Sequence[str]
    ) -> Association:
        """Takes faces from a person; no longer searched by them on return. Raises NotFound."""
        self._check_many("faces", faces)
        return await self._changed(tenant, collection, self._people.disassociate, person, faces)

    async def people_of(
        self, tenant: str, collection: str, faces: Sequence[str]
    ) -> Mapping[str, str]:
        """Whose the faces are: a person's id by face id, for those that are a person's."""
        self._check_many("faces", faces)
        entry = await self._entry(tenant, collection)
        return await self._run(self._people.owners, entry, faces)

    async def search_people(
        self,
        tenant: str,
        collection: str,
        template: Template,
        *,
        limit: int,
        min_cosine: float = -1.0,
    ) -> tuple[PersonMatch, ...]:
        """The nearest people, as `search`; those without faces are not found."""
        self._check_bounds(limit, min_cosine)
        entry = await self._entry(tenant, collection)
        return await self._run(self._people.nearest, entry, template, limit, min_cosine)

    async def repair(self) -> int:
        """Finishes changes of people that were cut short, and says how many those were."""
        return await self._run(self._repair)

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
            self._ensure(collection.dimension)
            self._dimensions.add(collection.dimension)
        self._catalog.add(entry)

    def _ensure(self, dimension: int) -> None:
        client, indexes = self._backend.client.milvus, self._backend.indexes
        ensure_faces(client, dimension, indexes, self._settings)
        ensure_people(client, dimension, indexes, self._settings)

    def _delete(self, tenant: str, collection: str) -> int:
        return self._purge(self._catalog.retire(tenant, collection))

    def _purge(self, entry: Entry) -> int:
        count = self._purge_rows(entry)
        self._catalog.remove(entry)
        return count

    def _purge_rows(self, entry: Entry) -> int:
        count = self._backend.purge(self._faces.name(entry), entry.scope)
        self._people.purge(entry)
        return count

    def _count(self, tenant: str, collection: str) -> int:
        entry = self._catalog.get(tenant, collection)
        return self._backend.count(self._faces.name(entry), entry.scope)

    def _page(self, entry: Entry, after: str, limit: int, wanted: FaceFilter) -> tuple[Face, ...]:
        ids = self._people.ids(entry, wanted.person) if wanted.person else None
        return self._faces.page(entry, after, limit, wanted, ids)

    def _remove(self, entry: Entry, ids: Sequence[str]) -> tuple[str, ...]:
        keys = face_keys(entry.scope, ids)
        with self._people.without(entry, ids):
            removed = self._backend.remove(self._faces.name(entry), entry.scope, keys)
        return tuple(map(face_id, removed))

    def _due(self, before_ns: int, consents: Sequence[str], limit: int) -> tuple[DueFace, ...]:
        found = [
            one
            for dimension in sorted(self._dimensions)
            for one in self._faces.due(dimension, before_ns, consents, limit)
        ]
        entries = self._catalog.of_scopes(sorted({scope for scope, _ in found}))
        due = [
            DueFace(entries[scope].collection, face) for scope, face in found if scope in entries
        ]
        return tuple(due[:limit])

    def _repair(self) -> int:
        # Where others write too, a change may still be under way.
        patience = _MINUTE_NS if self._backend.shared else 0
        before_ns = time.time_ns() - patience
        unsettled = [
            kept
            for dimension in sorted(self._dimensions)
            for kept in self._people.unsettled(dimension, before_ns=before_ns)
        ]
        entries = self._catalog.of_scopes(sorted({kept.scope for kept in unsettled}))
        people = {(kept.scope, kept.person.id) for kept in unsettled if kept.scope in entries}
        for scope, person in sorted(people):
            self._people.repair(entries[scope], person)
        return len(people)

    async def _changed(
        self,
        tenant: str,
        collection: str,
        change: Callable[Concatenate[Entry, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Changes people of a collection that is still there afterwards; else nothing of it stays."""
        entry = await self._entry(tenant, collection)
        result = await self._run(change, entry, *args, **kwargs)
        try:
            await self._run(self._catalog.confirm, entry)
        except NotFound:
            await self._run(self._purge_rows, entry)
            raise
        return result

    async def _entry(self, tenant: str, collection: str) -> Entry:
        """Raises NotFound. What is remembered needs no thread."""
        if not self._closed and (known := self._catalog.known(tenant, collection)):
            return known
        return await self._run(self._catalog.get, tenant, collection)

    def _check_bounds(self, limit: int, min_cosine: float) -> None:
        if not 1 <= limit <= self._settings.max_results:
            raise InvalidArgument("limit", f"must be 1 to {self._settings.max_results}")
        if not -1.0 <= min_cosine <= 1.0:
            raise InvalidArgument("min_cosine", "must be -1 to 1")

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
