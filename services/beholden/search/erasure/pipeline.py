"""Erases a subject from every collection of a tenant, and proves it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from beholden.core.errors import FailedPrecondition, NotFound, Unavailable
from beholden.core.faces import DetectedFace, Template
from beholden.core.gallery import Collection, Face, FaceFilter
from beholden.core.ports import FaceStore
from beholden.search.erasure.due import SweptFaces
from beholden.search.probing import Candidate, Probing, Sought
from beholden.vision.templates import cosine_for

_PAGE = 1000
_SAME, _FEW = 0.9999, 20
"""The cosine that only the very template reaches, up to rounding, and how many are looked at."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is to be erased: a person's id, an external image id, or a consent's; exactly one is set."""

    person: str = ""
    external_image_id: str = ""
    consent_id: str = ""

    @property
    def faces(self) -> FaceFilter:
        """Their faces."""
        return FaceFilter(
            person=self.person,
            external_image_id=self.external_image_id,
            consent_id=self.consent_id,
        )


@dataclass(frozen=True, slots=True)
class CollectionErasure:
    """One collection: the subject's faces and all faces, before and after; people who go with them.

    `searches` were made with the removed templates and found none of them.
    """

    collection: str
    before: int
    after: int
    people: tuple[str, ...]
    count_before: int
    count_after: int
    searches: int = 0


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was found and left; `collections` are those that had something, `looked` how many there are."""

    collections: tuple[CollectionErasure, ...]
    looked: int
    erased: bool


@dataclass(frozen=True, slots=True)
class Likeness:
    """What looks like the subject of a picture, by collection; `etag` names exactly these faces."""

    probe: DetectedFace
    matches: tuple[tuple[str, tuple[Candidate, ...]], ...]
    unsearched: tuple[str, ...]
    erasure: Erasure
    etag: str


class ErasurePipeline:
    """Every step can be done again: what was cut short is finished by the same call."""

    def __init__(self, store: FaceStore, probing: Probing) -> None:
        self._store = store
        self._probing = probing
        self._due = SweptFaces(store)

    async def erase(self, tenant: str, subject: Subject, *, dry: bool) -> Erasure:
        """Removes everything of the subject's, or with `dry` only says what there is.

        Raises Unavailable where the store fails or still has something: the call is to be made again.
        """
        done: list[CollectionErasure] = []
        looked = 0
        async for collection in self._collections(tenant):
            looked += 1
            faces = await self._faces(collection, subject.faces)
            people = await self._people(collection, faces, subject.person)
            if not (faces or people):
                continue
            before = await self._store.count_faces(tenant, collection.id)
            if dry:
                there = len(faces)
                done.append(CollectionErasure(collection.id, there, there, people, before, before))
                continue
            await self._remove(collection, faces, people, subject.person)
            left = await self._faces(collection, subject.faces)
            done.append(await self._proof(collection, faces, people, before, len(left)))
        return Erasure(tuple(done), looked, erased=not dry)

    async def erase_like(self, tenant: str, image: bytes, sought: Sought, etag: str) -> Likeness:
        """Removes the faces like a picture's largest, where `etag` names them; else only finds them.

        Raises InvalidArgument (no readable picture, no face, not a good one), FailedPrecondition
        (other faces match than the etag names), Unavailable.
        """
        probe = await self._probing.probe(image, filtered=True)
        least = self._probing.threshold(sought.min_similarity, sought.obligations).similarity
        found: list[tuple[Collection, tuple[Candidate, ...]]] = []
        unsearched: list[str] = []
        looked = 0
        async for collection in self._collections(tenant):
            looked += 1
            if collection.model != self._probing.model.id:
                unsearched.append(collection.id)
            elif matches := await self._like(collection, probe.template, least):
                found.append((collection, matches))
        seen = _etag(found)
        if etag and etag != seen:
            raise FailedPrecondition(
                "other faces match than those that were looked at",
                remedy="look again without the etag",
            )
        done: list[CollectionErasure] = []
        for collection, matches in found:
            # With their templates, by which they are looked for again; a search does not bring those.
            ids = [match.face.id for match in matches]
            faces = await self._store.get_faces(tenant, collection.id, ids)
            people = await self._people(collection, faces, "")
            before = await self._store.count_faces(tenant, collection.id)
            there = len(faces)
            if etag:
                await self._remove(collection, faces, people)
                left = len(await self._like(collection, probe.template, least))
                done.append(await self._proof(collection, faces, people, before, left))
            else:
                done.append(CollectionErasure(collection.id, there, there, people, before, before))
        return Likeness(
            probe=probe.face,
            matches=tuple((collection.id, matches) for collection, matches in found),
            unsearched=tuple(unsearched),
            erasure=Erasure(tuple(done), looked, erased=bool(etag)),
            etag=seen,
        )

    async def _remove(
        self, collection: Collection, faces: Sequence[Face], people: Sequence[str], named: str = ""
    ) -> None:
        """What the call finds its way by goes last: a named person, else the faces."""
        tenant = collection.tenant
        for person in people:
            if person != named:
                await self._remove_person(collection, person)
        ids = [face.id for face in faces]
        for first in range(0, len(ids), _PAGE):
            await self._store.delete_faces(tenant, collection.id, ids[first : first + _PAGE])
        if named in people:
            await self._remove_person(collection, named)

    async def _remove_person(self, collection: Collection, person: str) -> None:
        with suppress(NotFound):
            await self._store.delete_person(collection.tenant, collection.id, person)

    async def _proof(
        self,
        collection: Collection,
        faces: Sequence[Face],
        people: tuple[str, ...],
        before: int,
        left: int,
    ) -> CollectionErasure:
        """Looks for what was removed, by id and by template. Raises Unavailable where it is found."""
        tenant, ids = collection.tenant, {face.id for face in faces}
        found = left
        for face in faces:
            again = await self._store.search(
                tenant, collection.id, face.template, limit=_FEW, min_cosine=_SAME
            )
            found += len(ids & {match.face.id for match in again})
        if found:
            raise Unavailable(
                "milvus", f"collections/{collection.id} still shows {found} of the subject's faces"
            )
        after = await self._store.count_faces(tenant, collection.id)
        return CollectionErasure(
            collection.id, len(faces), left, people, before, after, searches=len(faces)
        )

    async def _people(
        self, collection: Collection, faces: Sequence[Face], named: str
    ) -> tuple[str, ...]:
        """The person named, and those of whom no face but these is known."""
        ids = {face.id for face in faces}
        owners = {named} if named else set()
        for first in range(0, len(faces), _PAGE):
            some = [face.id for face in faces[first : first + _PAGE]]
            found = await self._store.people_of(collection.tenant, collection.id, some)
            owners |= set(found.values())
        gone: list[str] = []
        for person in sorted(owners):
            try:
                known = await self._store.get_person(collection.tenant, collection.id, person)
            except NotFound:
                continue
            if person == named or ids.issuperset(known.faces):
                gone.append(person)
        return tuple(gone)

    async def _faces(self, collection: Collection, wanted: FaceFilter) -> list[Face]:
        found: list[Face] = []
        token = ""
        while True:
            page = await self._store.list_faces(
                collection.tenant, collection.id, page_size=_PAGE, page_token=token, wanted=wanted
            )
            found += page.items
            token = page.next_token
            if not token:
                return found

    async def _like(
        self, collection: Collection, template: Template, least: float
    ) -> tuple[Candidate, ...]:
        scale = self._probing.model.parameters
        matches = await self._store.search(
            collection.tenant,
            collection.id,
            template,
            limit=_PAGE,
            min_cosine=cosine_for(least, scale["similarity_midpoint"], scale["similarity_slope"]),
        )
        found = [Candidate(match.face, self._probing.similarity(match.cosine)) for match in matches]
        return tuple(candidate for candidate in found if candidate.similarity >= least)

    async def _collections(self, tenant: str) -> AsyncIterator[Collection]:
        await self._due.expired()
        token = ""
        while True:
            page = await self._store.list_collections(tenant, page_size=_PAGE, page_token=token)
            for collection in page.items:
                yield collection
            token = page.next_token
            if not token:
                return


def _etag(found: Sequence[tuple[Collection, tuple[Candidate, ...]]]) -> str:
    names = sorted(f"{collection.id}/{one.face.id}" for collection, some in found for one in some)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()
