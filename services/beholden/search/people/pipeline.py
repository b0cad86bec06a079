"""People: made, given faces, and searched by all of them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from beholden.core.errors import FailedPrecondition, NotFound
from beholden.core.explanation import Explanation
from beholden.core.faces import DetectedFace, Template
from beholden.core.gallery import Association, Page, Person
from beholden.core.ports import FaceStore
from beholden.search.explain import margins
from beholden.search.probing import LOOK_BEYOND, Probing, Sought
from beholden.search.sizes import Sizes
from beholden.vision.enrolment import enrolment_problems
from beholden.vision.templates import unit


@dataclass(frozen=True, slots=True)
class PersonCandidate:
    """A person, their similarity to the probe, and by how much they lead the next, in [0, 1]."""

    person: Person
    similarity: float
    margin: float | None = None


class PeoplePipeline:
    """Knows neither the wire nor the law."""

    def __init__(self, store: FaceStore, probing: Probing) -> None:
        self._sizes = Sizes(store.count_people)
        self._store = store
        self._probing = probing

    async def create(self, tenant: str, collection: str, person: str, display_name: str) -> Person:
        """Without a face. Raises NotFound (collection), AlreadyExists."""
        made = Person(person, time.time_ns(), display_name)
        return await self._store.create_person(tenant, collection, made)

    async def get(self, tenant: str, collection: str, person: str) -> Person:
        """Raises NotFound."""
        return await self._store.get_person(tenant, collection, person)

    async def list(
        self, tenant: str, collection: str, page_size: int, page_token: str
    ) -> Page[Person]:
        """One page. Raises NotFound (collection), InvalidArgument (page token)."""
        size = page_size or self._probing.settings.page_size
        return await self._store.list_people(
            tenant, collection, page_size=size, page_token=page_token
        )

    async def delete(self, tenant: str, collection: str, person: str) -> Person:
        """Who it was; their faces stay. Raises NotFound."""
        return await self._store.delete_person(tenant, collection, person)

    async def associate(
        self, tenant: str, collection: str, person: str, faces: Sequence[str]
    ) -> Association:
        """Raises NotFound."""
        return await self._store.associate_faces(tenant, collection, person, faces)

    async def disassociate(
        self, tenant: str, collection: str, person: str, faces: Sequence[str]
    ) -> Association:
        """Raises NotFound."""
        return await self._store.disassociate_faces(tenant, collection, person, faces)

    async def search_face(
        self, tenant: str, collection: str, face: str, sought: Sought
    ) -> tuple[tuple[PersonCandidate, ...], Explanation]:
        """Those like an enrolled face, whose it is left out. Raises NotFound, FailedPrecondition."""
        await self._probing.collections.compatible(tenant, collection)
        probes, owners = await asyncio.gather(
            self._store.get_faces(tenant, collection, [face]),
            self._store.people_of(tenant, collection, [face]),
        )
        if not probes:
            raise NotFound(f"collections/{collection}/faces/{face}")
        return await self._candidates(
            tenant, collection, probes[0].template, sought, without=owners.get(face, "")
        )

    async def search_person(
        self, tenant: str, collection: str, person: str, sought: Sought
    ) -> tuple[tuple[PersonCandidate, ...], Explanation]:
        """Those like a person, themselves left out. Raises NotFound, FailedPrecondition (no face)."""
        await self._probing.collections.compatible(tenant, collection)
        found = await self._store.get_person(tenant, collection, person)
        faces = await self._store.get_faces(tenant, collection, found.faces)
        if not faces:
            raise FailedPrecondition(
                f"collections/{collection}/people/{person} has no face to search with",
                remedy="associate one",
            )
        template = unit(np.mean([face.template for face in faces], axis=0))
        return await self._candidates(tenant, collection, template, sought, without=person)

    async def search_image(
        self, tenant: str, collection: str, image: bytes, sought: Sought
    ) -> tuple[DetectedFace, tuple[PersonCandidate, ...], Explanation]:
        """The picture's largest face, and the people like it.

        Raises InvalidArgument (no readable picture, no face, not a good one), NotFound,
        FailedPrecondition.
        """
        await self._probing.collections.compatible(tenant, collection)
        probe = await self._probing.probe(image, filtered=sought.filtered)
        found, explanation = await self._candidates(tenant, collection, probe.template, sought)
        problems = enrolment_problems(probe.face, self._probing.limits)
        return probe.face, found, replace(explanation, problems=problems)

    async def _candidates(
        self,
        tenant: str,
        collection: str,
        template: Template,
        sought: Sought,
        *,
        without: str = "",
    ) -> tuple[tuple[PersonCandidate, ...], Explanation]:
        limit = sought.limit or self._probing.settings.max_results
        applied = self._probing.threshold(sought.min_similarity, sought.obligations)
        matches, gallery = await asyncio.gather(
            self._store.search_people(tenant, collection, template, limit=limit + LOOK_BEYOND),
            self._sizes.of(tenant, collection),
        )
        found = [
            (match.person, self._probing.similarity(match.cosine), match.person.id)
            for match in matches
            if match.person.id != without
        ]
        candidates = [
            PersonCandidate(person, similarity, margin)
            for (person, similarity, _), margin in zip(found, margins(found), strict=True)
            if similarity >= applied.similarity
        ]
        explanation = self._probing.explanation(applied, sought.obligations, gallery)
        return tuple(candidates[:limit]), explanation
