"""Enrols many faces in one stream, from pictures or ready templates; the same again enrols nothing twice."""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from beholden.core.errors import (
    AlreadyExists,
    BeholdenError,
    FailedPrecondition,
    InvalidArgument,
    LeftOut,
)
from beholden.core.faces import UNIT_TOLERANCE, EmbeddedFace, Template, UnindexedReason
from beholden.core.gallery import Collection, Face, Provenance
from beholden.core.geometry import SAME_PLACE, Box, iou
from beholden.core.ports import Embedder, FaceStore
from beholden.search.collections import Collections
from beholden.search.quotas import Quotas
from beholden.search.settings import SearchSettings
from beholden.search.streams import batches, mapped
from beholden.search.turns import Turns
from beholden.vision.enrolment import NO_LIMITS, EnrolmentLimits, enrolment_problems

_FACES = uuid.UUID("0d0a4c8e-8c26-5a53-8c1d-7a5a0f7b3c21").bytes
_MOST_FACES = 100
_WHOLE = Box(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Bulk:
    """What holds for every face of a stream; see BulkEnrolment in protos/beholden/v1/enrolment.proto."""

    tenant: str
    principal: str
    collection: str
    provenance: Provenance
    duplicate_cosine: float = 0.0
    max_faces: int = _MOST_FACES
    filtered: bool = True


class Picture(NamedTuple):
    """One picture of a stream: its bytes, their SHA-256 as hex, and what the stream does not say.

    With `boxes` only the faces in those places are wanted.
    """

    content: bytes
    sha256: str
    external_image_id: str = ""
    capture_ns: int = 0
    consent_id: str = ""
    boxes: Sequence[Box] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """Templates made elsewhere, (N, D) float32, and one `Picture` without bytes for each."""

    templates: NDArray[np.float32]
    pictures: Sequence[Picture]


class Result(NamedTuple):
    """What became of one face of item number `item`: enrolled, or why not."""

    item: int
    outcome: Face | BeholdenError


class BulkPipeline:
    """Reads no faster than it enrols, answers each item once it is kept, holds a bounded number."""

    def __init__(
        self,
        store: FaceStore,
        collections: Collections,
        embedder: Embedder,
        settings: SearchSettings,
        limits: EnrolmentLimits,
        *,
        quotas: Quotas,
    ) -> None:
        self._collections = collections
        self._quotas = quotas
        self._store = store
        self._embedder = embedder
        self._settings = settings
        self._limits = limits

    async def index(
        self, bulk: Bulk, pictures: AsyncIterator[Picture]
    ) -> AsyncGenerator[Sequence[Result]]:
        """All faces of some pictures at a time, in the stream's order.

        Raises NotFound, FailedPrecondition (model), InvalidArgument (expiry), what the store raises.
        """
        _check(bulk)
        await self._collections.compatible(bulk.tenant, bulk.collection)
        settings = self._settings
        numbered = _numbered(batches(pictures, settings.bulk_pictures, settings.bulk_linger))
        work = partial(self._index, bulk, Turns())
        ahead = _ahead(bulk, settings.bulk_ahead)
        async with aclosing(mapped(numbered, work, ahead)) as done:
            async for results in done:
                yield results

    async def take(
        self, bulk: Bulk, model: str, ready: AsyncGenerator[Ready]
    ) -> AsyncGenerator[Sequence[Result]]:
        """One batch of ready templates at a time, in the stream's order.

        Raises NotFound, FailedPrecondition (another model), InvalidArgument (expiry, a batch's size),
        what the store raises.
        """
        _check(bulk)
        collection = await self._store.get_collection(bulk.tenant, bulk.collection)
        if collection.model != model:
            raise FailedPrecondition(
                f"collections/{bulk.collection} holds templates of {collection.model}, not of {model}",
                remedy="import them into a collection of that model",
                reason="MODEL_MISMATCH",
            )
        work = partial(self._take, bulk, collection, Turns())
        ahead = _ahead(bulk, self._settings.bulk_batches)
        async with aclosing(mapped(_placed(ready), work, ahead)) as done:
            async for results in done:
                yield results

    async def _index(
        self, bulk: Bulk, turns: Turns, batch: tuple[int, list[Picture]]
    ) -> list[Result]:
        first, pictures = batch
        ids = [_id(bulk, picture.sha256, 0) for picture in pictures]
        async with turns.of(ids):
            return await self._enrolled(bulk, first, ids, pictures)

    async def _enrolled(
        self, bulk: Bulk, first: int, ids: Sequence[str], pictures: Sequence[Picture]
    ) -> list[Result]:
        there = {face.id for face in await self._store.get_faces(bulk.tenant, bulk.collection, ids)}
        fresh: dict[str, Picture] = {}
        for known, picture in zip(ids, pictures, strict=True):
            if known not in there:
                fresh.setdefault(known, picture)
        found = await asyncio.gather(*map(self._embedded, fresh.values()))
        judged = {
            known: [*self._judged(bulk, picture, faces)]
            for (known, picture), faces in zip(fresh.items(), found, strict=True)
        }
        results: list[Result] = []
        for number, known in enumerate(ids, first):
            outcomes = judged.get(known, [_exists(bulk, known)])
            results += [Result(number, outcome) for outcome in outcomes]
            if any(isinstance(outcome, Face) for outcome in outcomes):
                judged.pop(known)  # the same picture once more in this batch is there by then
        return await self._kept(bulk, results)

    async def _embedded(self, picture: Picture) -> Sequence[EmbeddedFace] | InvalidArgument:
        try:
            return await self._embedder.embed(
                picture.content, max_faces=_MOST_FACES, field="picture.image.content"
            )
        except InvalidArgument as error:
            return error

    def _judged(
        self, bulk: Bulk, picture: Picture, found: Sequence[EmbeddedFace] | InvalidArgument
    ) -> Iterator[Face | BeholdenError]:
        if isinstance(found, InvalidArgument):
            yield found
            return
        limits = self._limits if bulk.filtered else NO_LIMITS
        if picture.boxes:
            found = [one for one in found if _wanted(picture, one.face.box)]
        kept = 0
        for item in found:
            problems = enrolment_problems(item.face, limits)
            if not problems and kept >= bulk.max_faces:
                problems = (UnindexedReason.EXCEEDS_MAX_FACES,)
            if problems:
                yield LeftOut(problems)
                continue
            face = _face(bulk, picture, _id(bulk, picture.sha256, kept), item.template)
            seen = item.face
            yield replace(
                face,
                box=seen.box,
                confidence=seen.confidence,
                quality=seen.quality,
                pose=seen.pose,
                size=seen.size,
            )
            kept += 1
        if not found:
            yield InvalidArgument("picture.image.content", "shows no face", reason="NO_FACE")

    async def _take(
        self, bulk: Bulk, collection: Collection, turns: Turns, batch: tuple[int, Ready]
    ) -> list[Result]:
        first, ready = batch
        if ready.templates.shape != (len(ready.pictures), collection.dimension):
            raise InvalidArgument(
                "batch.templates",
                f"must be {len(ready.pictures)} times {collection.dimension} 32-bit floats",
            )
        lengths = np.linalg.norm(ready.templates.astype(np.float64), axis=1)
        good = np.abs(lengths - 1) <= UNIT_TOLERANCE
        wrong = InvalidArgument("batch.templates", "a template must be finite and of length 1")
        ids = [
            _id(bulk, f"{picture.external_image_id}/{hashlib.sha256(template).hexdigest()}", 0)
            for picture, template in zip(ready.pictures, ready.templates, strict=True)
        ]
        results = [
            Result(first + row, _face(bulk, picture, ids[row], template) if good[row] else wrong)
            for row, (picture, template) in enumerate(
                zip(ready.pictures, ready.templates, strict=True)
            )
        ]
        async with turns.of(ids):
            return await self._kept(bulk, results)

    async def _kept(self, bulk: Bulk, results: list[Result]) -> list[Result]:
        """Enrols the faces among `results`; those that are alike to others become AlreadyExists."""
        if bulk.duplicate_cosine:
            results = [result async for result in self._distinct(bulk, results)]
        faces = [one.outcome for one in results if isinstance(one.outcome, Face)]
        if faces:
            await self._quotas.check_faces(bulk.tenant, len(faces))
            await self._store.add_faces(bulk.tenant, bulk.collection, faces)
        return results

    async def _distinct(self, bulk: Bulk, results: list[Result]) -> AsyncIterator[Result]:
        fresh: list[Face] = []
        for result in results:
            face = result.outcome
            if not isinstance(face, Face):
                yield result
                continue
            matches = await self._store.search(
                bulk.tenant,
                bulk.collection,
                face.template,
                limit=2,
                min_cosine=bulk.duplicate_cosine,
            )
            alike = [one.face for one in matches if one.face.id != face.id]
            alike += [
                one for one in fresh if float(one.template @ face.template) >= bulk.duplicate_cosine
            ]
            if alike:
                yield Result(result.item, _exists(bulk, alike[0].id))
            else:
                fresh.append(face)
                yield result


def _check(bulk: Bulk) -> None:
    if 0 < bulk.provenance.expire_ns <= time.time_ns():
        raise InvalidArgument("start.enrolment.provenance.expire_time", "lies in the past")


def _ahead(bulk: Bulk, batches: int) -> int:
    """What is alike is only seen once it is kept, so that then each batch waits for the one before."""
    return 1 if bulk.duplicate_cosine else batches


def _id(bulk: Bulk, content: str, ordinal: int) -> str:
    """The same for the same content, so that what is sent again replaces instead of doubling."""
    name = f"{bulk.tenant}/{bulk.collection}/{content}/{ordinal}"
    digest = bytearray(hashlib.sha256(_FACES + name.encode()).digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x50, digest[8] & 0x3F | 0x80  # RFC 9562, version 5
    spelt = digest.hex()
    return f"{spelt[:8]}-{spelt[8:12]}-{spelt[12:16]}-{spelt[16:20]}-{spelt[20:]}"


def _wanted(picture: Picture, box: Box) -> bool:
    return any(iou(box, place) >= SAME_PLACE for place in picture.boxes)


def _exists(bulk: Bulk, face: str) -> AlreadyExists:
    return AlreadyExists(f"collections/{bulk.collection}/faces/{face}", field="face")


def _face(bulk: Bulk, picture: Picture, known: str, template: Template) -> Face:
    """What is known without the picture. The stream's provenance is not overruled, the law saw it."""
    past = bulk.provenance
    if picture.capture_ns or picture.consent_id:
        past = replace(
            past,
            capture_ns=past.capture_ns or picture.capture_ns,
            consent_id=past.consent_id or picture.consent_id,
        )
    return Face(
        id=known,
        external_image_id=picture.external_image_id,
        media_sha256=picture.sha256,
        box=_WHOLE,
        confidence=0.0,
        enrolled_ns=time.time_ns(),
        enrolled_by=bulk.principal,
        provenance=past,
        template=template,
    )


async def _numbered(
    source: AsyncGenerator[list[Picture]],
) -> AsyncGenerator[tuple[int, list[Picture]]]:
    first = 0
    async with aclosing(source) as items:
        async for batch in items:
            yield first, batch
            first += len(batch)


async def _placed(source: AsyncGenerator[Ready]) -> AsyncGenerator[tuple[int, Ready]]:
    first = 0
    async with aclosing(source) as items:
        async for ready in items:
            yield first, ready
            first += len(ready.pictures)
