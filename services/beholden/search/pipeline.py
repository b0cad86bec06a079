"""Enrol and search: embed the picture, ask the store, read cosines as similarities."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from beholden.core.errors import InvalidArgument, NotFound
from beholden.core.explanation import Explanation
from beholden.core.faces import DetectedFace, Template, UnindexedReason
from beholden.core.gallery import EVERY_FACE, Face, FaceFilter, Page, Provenance
from beholden.core.models import ModelSpec
from beholden.core.ports import Embedder, FaceStore
from beholden.search.bulk import BulkPipeline
from beholden.search.collections import Collections
from beholden.search.erasure.pipeline import ErasurePipeline
from beholden.search.explain import margins, problems_of
from beholden.search.people.pipeline import PeoplePipeline
from beholden.search.probing import LOOK_BEYOND, Candidate, Probing, Sought
from beholden.search.quotas import Quotas
from beholden.search.settings import SearchSettings
from beholden.search.sizes import Sizes
from beholden.search.transfer import Transfers
from beholden.vision.enrolment import NO_LIMITS, EnrolmentLimits, enrolment_problems

_MOST_FACES = 100
"""Faces looked at in one picture, as IndexFaces promises."""

_FACES = uuid.UUID("6b1f3d1e-52f0-5a53-9f4e-0c6f5d1b7a10")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What is to be enrolled: everything that IndexFaces was told beside the picture."""

    tenant: str
    principal: str
    collection: str
    media_sha256: str
    external_image_id: str = ""
    provenance: Provenance = field(default_factory=Provenance)
    max_faces: int = 0
    filtered: bool = True
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Indexed:
    """Faces enrolled with how they were found, and those left out with why; each largest first."""

    faces: tuple[tuple[Face, DetectedFace], ...]
    unindexed: tuple[tuple[DetectedFace, tuple[UnindexedReason, ...]], ...]


class SearchPipeline:
    """Faces in, candidates out; knows neither the wire nor the law."""

    def __init__(
        self,
        store: FaceStore,
        embedder: Embedder,
        settings: SearchSettings,
        limits: EnrolmentLimits,
    ) -> None:
        quotas = Quotas(store, settings)
        self.collections = Collections(store, embedder, quotas)
        self._probing = Probing(self.collections, embedder, settings, limits)
        self.transfers = Transfers(store, embedder, quotas)
        self.bulk = BulkPipeline(store, self.collections, embedder, settings, limits, quotas=quotas)
        self._quotas = quotas
        self.settings = settings
        self.people = PeoplePipeline(store, self._probing)
        self.erasure = ErasurePipeline(store, self._probing)
        self._sizes = Sizes(store.count_faces)
        self._store = store
        self._embedder = embedder
        self._limits = limits

    @property
    def model(self) -> ModelSpec:
        """The embedding model. Raises FailedPrecondition when the role is off."""
        return self._embedder.model

    async def index(self, image: bytes, enrolment: Enrolment) -> Indexed:
        """Enrols the picture's usable faces; durable and searchable on return.

        Raises InvalidArgument (picture, expiry in the past), NotFound, FailedPrecondition.
        """
        expire = enrolment.provenance.expire_ns
        if expire and expire <= time.time_ns():
            raise InvalidArgument("provenance.expire_time", "lies in the past")
        await self.collections.compatible(enrolment.tenant, enrolment.collection)
        found = await self._embedder.embed(image, max_faces=_MOST_FACES, field="image.content")
        limits = self._limits if enrolment.filtered else NO_LIMITS
        limit = enrolment.max_faces or self.settings.max_faces
        kept: list[tuple[Face, DetectedFace]] = []
        left: list[tuple[DetectedFace, tuple[UnindexedReason, ...]]] = []
        for ordinal, item in enumerate(found):
            problems = enrolment_problems(item.face, limits)
            if not problems and len(kept) >= limit:
                problems = (UnindexedReason.EXCEEDS_MAX_FACES,)
            if problems:
                left.append((item.face, problems))
            else:
                kept.append((_enrolled(enrolment, ordinal, item.face, item.template), item.face))
        if kept:
            await self._quotas.check_faces(enrolment.tenant, len(kept))
            await self._store.add_faces(
                enrolment.tenant, enrolment.collection, [face for face, _ in kept]
            )
        return Indexed(tuple(kept), tuple(left))

    async def list(
        self,
        tenant: str,
        collection: str,
        page_size: int,
        page_token: str,
        wanted: FaceFilter = EVERY_FACE,
    ) -> tuple[Page[Face], Mapping[str, str]]:
        """One page of a collection's faces, and whose they are. Raises NotFound, InvalidArgument."""
        page = await self._store.list_faces(
            tenant,
            collection,
            page_size=page_size or self.settings.page_size,
            page_token=page_token,
            wanted=wanted,
        )
        ids = [face.id for face in page.items]
        return page, await self._store.people_of(tenant, collection, ids)

    async def delete(
        self, tenant: str, collection: str, ids: Sequence[str]
    ) -> tuple[frozenset[str], Mapping[str, str]]:
        """The ids that were there and are gone, and those kept because they are a person's.

        Raises NotFound (collection).
        """
        taken = await self._store.people_of(tenant, collection, ids)
        free = [face for face in ids if face not in taken]
        return frozenset(await self._store.delete_faces(tenant, collection, free)), taken

    async def search_face(
        self, tenant: str, collection: str, face: str, sought: Sought
    ) -> tuple[tuple[Candidate, ...], Explanation]:
        """Candidates for an enrolled face, itself left out. Raises NotFound, FailedPrecondition."""
        await self.collections.compatible(tenant, collection)
        probes = await self._store.get_faces(tenant, collection, [face])
        if not probes:
            raise NotFound(f"collections/{collection}/faces/{face}")
        found, explanation = await self.candidates(
            tenant, collection, probes[0].template, sought, without=face
        )
        problems = problems_of(probes[0], self._limits)
        return found, replace(explanation, problems=problems)

    async def search_image(
        self, tenant: str, collection: str, image: bytes, sought: Sought
    ) -> tuple[DetectedFace, tuple[Candidate, ...], Explanation]:
        """The picture's largest face and its candidates.

        Raises InvalidArgument (no readable picture, no face, not a good one), NotFound,
        FailedPrecondition.
        """
        await self.collections.compatible(tenant, collection)
        probe = await self._probing.probe(image, filtered=sought.filtered)
        found, explanation = await self.candidates(tenant, collection, probe.template, sought)
        problems = enrolment_problems(probe.face, self._limits)
        return probe.face, found, replace(explanation, problems=problems)

    async def candidates(
        self,
        tenant: str,
        collection: str,
        template: Template,
        sought: Sought,
        *,
        without: str = "",
    ) -> tuple[tuple[Candidate, ...], Explanation]:
        """Enrolled faces that are like the template, most alike first. Raises NotFound."""
        limit = sought.limit or self.settings.max_results
        applied = self._probing.threshold(sought.min_similarity, sought.obligations)
        # Some more than asked for, by which the last ones' margins are seen.
        matches, gallery = await asyncio.gather(
            self._store.search(tenant, collection, template, limit=limit + LOOK_BEYOND),
            self._sizes.of(tenant, collection),
        )
        found = [
            (match.face, self._probing.similarity(match.cosine), match.face.external_image_id)
            for match in matches
            if match.face.id != without
        ]
        candidates = [
            Candidate(face, similarity, margin)
            for (face, similarity, _), margin in zip(found, margins(found), strict=True)
            if similarity >= applied.similarity
        ]
        explanation = self._probing.explanation(applied, sought.obligations, gallery)
        return tuple(candidates[:limit]), explanation


def _enrolled(enrolment: Enrolment, ordinal: int, face: DetectedFace, template: Template) -> Face:
    # The same request sent again makes the same ids, so a retry replaces instead of doubling.
    name = "/".join(
        (
            enrolment.tenant,
            enrolment.collection,
            enrolment.request_id,
            enrolment.media_sha256,
            str(ordinal),
        )
    )
    return Face(
        id=str(uuid.uuid5(_FACES, name) if enrolment.request_id else uuid.uuid4()),
        external_image_id=enrolment.external_image_id,
        media_sha256=enrolment.media_sha256,
        box=face.box,
        confidence=face.confidence,
        enrolled_ns=time.time_ns(),
        enrolled_by=enrolment.principal,
        provenance=enrolment.provenance,
        template=template,
        quality=face.quality,
        pose=face.pose,
        size=face.size,
    )
