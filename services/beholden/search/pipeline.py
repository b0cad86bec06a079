"""Enrol and search: embed the picture, ask the store, read cosines as similarities."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from beholden.core.errors import InvalidArgument, NotFound
from beholden.core.faces import DetectedFace, Template, UnindexedReason
from beholden.core.gallery import Face, Match, Page, Provenance
from beholden.core.models import ModelSpec
from beholden.core.ports import Embedder, FaceStore
from beholden.search.bulk import BulkPipeline
from beholden.search.collections import Collections
from beholden.search.settings import SearchSettings
from beholden.vision.enrolment import NO_LIMITS, EnrolmentLimits, enrolment_problems
from beholden.vision.templates import cosine_for, similarity

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


@dataclass(frozen=True, slots=True)
class Candidate:
    """An enrolled face and its similarity to the probe, in [0, 1]."""

    face: Face
    similarity: float


class SearchPipeline:
    """Faces in, candidates out; knows neither the wire nor the law."""

    def __init__(
        self,
        store: FaceStore,
        embedder: Embedder,
        settings: SearchSettings,
        limits: EnrolmentLimits,
    ) -> None:
        self.collections = Collections(store, embedder)
        self.bulk = BulkPipeline(store, embedder, settings, limits)
        self.settings = settings
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
            await self._store.add_faces(
                enrolment.tenant, enrolment.collection, [face for face, _ in kept]
            )
        return Indexed(tuple(kept), tuple(left))

    async def list(
        self, tenant: str, collection: str, page_size: int, page_token: str
    ) -> Page[Face]:
        """One page of a collection's faces. Raises NotFound, InvalidArgument (page token)."""
        return await self._store.list_faces(
            tenant,
            collection,
            page_size=page_size or self.settings.page_size,
            page_token=page_token,
        )

    async def delete(self, tenant: str, collection: str, ids: Sequence[str]) -> frozenset[str]:
        """The ids that were there and are gone. Raises NotFound (collection)."""
        return frozenset(await self._store.delete_faces(tenant, collection, ids))

    async def search_face(
        self, tenant: str, collection: str, face: str, *, limit: int, threshold: float | None
    ) -> tuple[Candidate, ...]:
        """Candidates for an enrolled face, itself left out. Raises NotFound, FailedPrecondition."""
        await self.collections.compatible(tenant, collection)
        probes = await self._store.get_faces(tenant, collection, [face])
        if not probes:
            raise NotFound(f"collections/{collection}/faces/{face}")
        limit = limit or self.settings.max_results
        found = await self._candidates(tenant, collection, probes[0].template, limit + 1, threshold)
        return tuple(candidate for candidate in found if candidate.face.id != face)[:limit]

    async def search_image(
        self, tenant: str, collection: str, image: bytes, *, limit: int, threshold: float | None
    ) -> tuple[DetectedFace, tuple[Candidate, ...]]:
        """The picture's largest face and its candidates.

        Raises InvalidArgument (no readable picture, no face), NotFound, FailedPrecondition.
        """
        await self.collections.compatible(tenant, collection)
        found = await self._embedder.embed(image, max_faces=1, field="image.content")
        if not found:
            raise InvalidArgument("image.content", "shows no face", reason="NO_FACE")
        probe = found[0]
        return probe.face, await self._candidates(
            tenant, collection, probe.template, limit or self.settings.max_results, threshold
        )

    async def _candidates(
        self, tenant: str, collection: str, template: Template, limit: int, threshold: float | None
    ) -> tuple[Candidate, ...]:
        least = self.settings.min_similarity if threshold is None else threshold
        scale = self._embedder.model.parameters
        midpoint, slope = scale["similarity_midpoint"], scale["similarity_slope"]
        matches = await self._store.search(
            tenant,
            collection,
            template,
            limit=limit,
            min_cosine=cosine_for(least, midpoint, slope),
        )
        now = time.time_ns()
        found = (
            Candidate(match.face, similarity(match.cosine, midpoint, slope))
            for match in matches
            if not _expired(match, now)
        )
        return tuple(candidate for candidate in found if candidate.similarity >= least)


def _expired(match: Match, now: int) -> bool:
    return 0 < match.face.provenance.expire_ns <= now


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
    )
