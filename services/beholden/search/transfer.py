"""Exports, restores and copies a tenant's collections."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from beholden.core.errors import FailedPrecondition, InvalidArgument
from beholden.core.gallery import Collection, Face, Person
from beholden.core.ports import Embedder, FaceStore
from beholden.search import moving
from beholden.search.portable import face_of, face_text, person_of, person_text
from beholden.search.quotas import Quotas

_PEOPLE = 500


@dataclass(frozen=True, slots=True)
class Batch:
    """Templates (N, D) float32 with what is kept of each face, or people; texts as portable.py has them."""

    templates: NDArray[np.float32]
    details: Sequence[str] = ()
    people: Sequence[str] = ()


class Transfers:
    """Whole collections out, in, and beside themselves; all ids and provenance stay."""

    def __init__(self, store: FaceStore, embedder: Embedder, quotas: Quotas) -> None:
        self._store = store
        self._quotas = quotas
        self._embedder = embedder

    async def out(self, tenant: str, collection: str) -> tuple[Collection, AsyncGenerator[Batch]]:
        """The collection, and all it holds: faces by id, then people. Raises NotFound."""
        found = await self._store.get_collection(tenant, collection)
        return found, self._batches(found)

    async def _batches(self, origin: Collection) -> AsyncGenerator[Batch]:
        size = max(1, 700_000 // (4 * origin.dimension))
        async with aclosing(moving.pages(self._store, origin)) as pages:
            async for page in pages:
                faces = iter(page)
                while some := list(islice(faces, size)):
                    templates = np.array([face.template for face in some], "<f4")
                    yield Batch(templates, [*map(face_text, some)])
        none = np.zeros((0, origin.dimension), "<f4")
        people: list[Person] = []
        async for person in moving.everybody(self._store, origin):
            people.append(person)
            if len(people) == _PEOPLE:
                yield Batch(none, people=[*map(person_text, people)])
                people = []
        if people:
            yield Batch(none, people=[*map(person_text, people)])

    async def back(
        self,
        tenant: str,
        collection: str,
        display_name: str,
        model: str,
        batches: AsyncIterator[Batch],
    ) -> tuple[Collection, int, int]:
        """The collection, and how many faces and people the batches had. It may be sent again.

        Raises FailedPrecondition (another model, or faces in the collection that the batches lack),
        InvalidArgument (a batch that is no export's), AlreadyExists never: it goes on.
        """
        spec = self._embedder.model
        if model != spec.id:
            raise FailedPrecondition(
                f"the export is of {model}, and {spec.id} is served",
                remedy="serve that model, or index the pictures anew: templates do not translate",
                reason="MODEL_MISMATCH",
            )
        made = Collection(
            tenant=tenant,
            id=collection,
            model=model,
            dimension=spec.outputs[0].shape[-1],
            created_ns=time.time_ns(),
            display_name=display_name,
        )
        await self._quotas.check_collection(tenant)
        await moving.ensured(self._store, made)
        faces = people = 0
        async for batch in batches:
            some = _faces(batch, made)
            if some:
                await self._quotas.check_faces(tenant, len(some))
                await self._store.add_faces(tenant, collection, some)
            for text in batch.people:
                await moving.restore_person(self._store, made, person_of(text))
            faces, people = faces + len(some), people + len(batch.people)
        await moving.verify_count(self._store, made, faces)
        return made, faces, people

    async def copy(self, tenant: str, collection: str, to: str) -> tuple[Collection, int]:
        """The copy, and how many faces it holds; one that was cut short is gone on with.

        Raises NotFound, InvalidArgument (onto itself), FailedPrecondition (`to` holds other faces).
        """
        if to == collection:
            raise InvalidArgument("collection_id", "must be another than the one that is copied")
        origin = await self._store.get_collection(tenant, collection)
        made = replace(origin, id=to, created_ns=time.time_ns())
        await self._quotas.check_collection(tenant)
        await self._quotas.check_faces(tenant, await self._store.count_faces(tenant, collection))
        moved = await moving.copy(self._store, self._store, origin, made)
        return made, moved.faces


def _faces(batch: Batch, made: Collection) -> list[Face]:
    if not batch.details:
        return []
    if batch.templates.shape != (len(batch.details), made.dimension):
        raise InvalidArgument(
            "batch.templates", f"must be {len(batch.details)} times {made.dimension} 32-bit floats"
        )
    return [face_of(text, row) for text, row in zip(batch.details, batch.templates, strict=True)]
