"""SearchService on the wire: translates, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import numpy as np

from beholden.core.caller import Caller, caller
from beholden.core.errors import InvalidArgument
from beholden.core.gallery import Face, Provenance
from beholden.search.bulk import Bulk, Picture, Ready, Result
from beholden.search.erasure.servicer import ErasureServicer
from beholden.search.people.servicer import sought
from beholden.search.pipeline import Enrolment, SearchPipeline
from beholden.search.probing import Candidate
from beholden.search.transfer import Batch
from beholden.v1 import enrolment_pb2, search_pb2, transfer_pb2
from beholden.wire import faces as wire_faces
from beholden.wire import gallery as wire
from beholden.wire.explanation import explanation
from beholden.wire.status import status


class SearchServicer(ErasureServicer):
    """See protos/beholden/v1/search.proto."""

    def __init__(self, pipeline: SearchPipeline) -> None:
        super().__init__(pipeline)
        self._pipeline = pipeline

    async def CreateCollection(
        self, request: search_pb2.CreateCollectionRequest, context: Any
    ) -> search_pb2.CreateCollectionResponse:
        """Makes an empty collection."""
        made = await self._pipeline.collections.create(
            caller().tenant, request.collection_id, request.display_name
        )
        return search_pb2.CreateCollectionResponse(collection=wire.collection(made, 0))

    async def GetCollection(
        self, request: search_pb2.GetCollectionRequest, context: Any
    ) -> search_pb2.GetCollectionResponse:
        """Returns one collection."""
        found, count = await self._pipeline.collections.get(
            caller().tenant, wire.collection_id(request.name)
        )
        return search_pb2.GetCollectionResponse(collection=wire.collection(found, count))

    async def ListCollections(
        self, request: search_pb2.ListCollectionsRequest, context: Any
    ) -> search_pb2.ListCollectionsResponse:
        """Lists the tenant's collections."""
        page, counts = await self._pipeline.collections.list(
            caller().tenant,
            request.page_size or self._pipeline.settings.page_size,
            request.page_token,
        )
        return search_pb2.ListCollectionsResponse(
            collections=map(wire.collection, page.items, counts),
            next_page_token=page.next_token,
        )

    async def DeleteCollection(
        self, request: search_pb2.DeleteCollectionRequest, context: Any
    ) -> search_pb2.DeleteCollectionResponse:
        """Deletes a collection and every face in it."""
        gone = await self._pipeline.collections.delete(
            caller().tenant, wire.collection_id(request.name)
        )
        return search_pb2.DeleteCollectionResponse(deleted_face_count=gone)

    async def ExportCollection(
        self, request: transfer_pb2.ExportCollectionRequest, context: Any
    ) -> AsyncGenerator[transfer_pb2.ExportCollectionResponse]:
        """Sends a collection, then what it holds."""
        tenant, name = caller().tenant, wire.collection_id(request.name)
        found, count = await self._pipeline.collections.get(tenant, name)
        yield transfer_pb2.ExportCollectionResponse(collection=wire.collection(found, count))
        _, batches = await self._pipeline.transfers.out(tenant, name)
        async with aclosing(batches) as each:
            async for batch in each:
                yield transfer_pb2.ExportCollectionResponse(
                    batch=transfer_pb2.FaceBatch(
                        templates=batch.templates.tobytes(),
                        details=batch.details,
                        people=batch.people,
                    )
                )

    async def RestoreCollection(
        self, messages: AsyncIterator[transfer_pb2.RestoreCollectionRequest], context: Any
    ) -> transfer_pb2.RestoreCollectionResponse:
        """Makes a collection of an export."""
        start = (await anext(aiter(messages))).start
        if not start.name:
            raise InvalidArgument("start", "must be the stream's first message")

        async def batches() -> AsyncGenerator[Batch]:
            async for message in messages:
                if not message.HasField("batch"):
                    raise InvalidArgument("batch", "must be every message's but the first's")
                yield _batch(message.batch)

        made, faces, people = await self._pipeline.transfers.back(
            caller().tenant,
            wire.collection_id(start.name),
            start.display_name,
            start.model,
            batches(),
        )
        return transfer_pb2.RestoreCollectionResponse(
            collection=wire.collection(made, faces), face_count=faces, person_count=people
        )

    async def CopyCollection(
        self, request: transfer_pb2.CopyCollectionRequest, context: Any
    ) -> transfer_pb2.CopyCollectionResponse:
        """Copies a collection."""
        made, count = await self._pipeline.transfers.copy(
            caller().tenant, wire.collection_id(request.name), request.collection_id
        )
        return transfer_pb2.CopyCollectionResponse(collection=wire.collection(made, count))

    async def IndexFaces(
        self, request: search_pb2.IndexFacesRequest, context: Any
    ) -> search_pb2.IndexFacesResponse:
        """Enrols the faces of a picture."""
        who = caller()
        collection = wire.collection_id(request.parent)
        indexed = await self._pipeline.index(
            request.image.content,
            Enrolment(
                tenant=who.tenant,
                principal=who.principal,
                collection=collection,
                media_sha256=who.media[0],
                external_image_id=request.external_image_id,
                provenance=enrolled_under(wire.provenance_of(request.provenance), who),
                max_faces=request.max_faces,
                filtered=request.quality_filter != search_pb2.QUALITY_FILTER_NONE,
                request_id=request.request_id.lower(),
            ),
        )
        return search_pb2.IndexFacesResponse(
            faces=[
                search_pb2.IndexedFace(
                    face=wire.face(collection, face), detected=wire_faces.detected_face(found)
                )
                for face, found in indexed.faces
            ],
            unindexed_faces=[
                search_pb2.UnindexedFace(
                    face=wire_faces.detected_face(found),
                    reasons=[f"UNINDEXED_REASON_{reason.value}" for reason in reasons],
                )
                for found, reasons in indexed.unindexed
            ],
            model=wire_faces.model_version(self._pipeline.model),
        )

    async def BulkIndexFaces(
        self, messages: AsyncIterator[enrolment_pb2.BulkIndexFacesRequest], context: Any
    ) -> AsyncGenerator[enrolment_pb2.BulkIndexFacesResponse]:
        """Enrols the faces of a stream of pictures."""
        start = (await anext(aiter(messages))).start
        if not start.HasField("enrolment"):
            raise InvalidArgument("start", "must be the stream's first message")

        async def pictures() -> AsyncGenerator[Picture]:
            async for message in messages:
                if not message.HasField("picture"):
                    raise InvalidArgument("picture", "must be every message's but the first's")
                said = message.picture
                picture = _picture(said, said.image.content, caller().media[0])
                yield picture._replace(boxes=list(map(wire_faces.box, said.bounding_boxes)))

        bulk = replace(
            _bulk(start.enrolment),
            max_faces=start.max_faces or self._pipeline.settings.max_faces,
            filtered=not start.every_face,
        )
        async with aclosing(self._pipeline.bulk.index(bulk, pictures())) as done:
            async for results in done:
                yield enrolment_pb2.BulkIndexFacesResponse(
                    results=[_enrolment_result(bulk, one) for one in results]
                )

    async def ImportFaces(
        self, messages: AsyncIterator[enrolment_pb2.ImportFacesRequest], context: Any
    ) -> AsyncGenerator[enrolment_pb2.ImportFacesResponse]:
        """Enrols a stream of ready templates."""
        start = (await anext(aiter(messages))).start
        if not start.HasField("enrolment"):
            raise InvalidArgument("start", "must be the stream's first message")

        async def ready() -> AsyncGenerator[Ready]:
            async for message in messages:
                if not message.HasField("batch"):
                    raise InvalidArgument("batch", "must be every message's but the first's")
                yield _ready(message.batch)

        bulk = _bulk(start.enrolment)
        async with aclosing(self._pipeline.bulk.take(bulk, start.model, ready())) as done:
            async for results in done:
                yield _imported(bulk, results)

    async def ListFaces(
        self, request: search_pb2.ListFacesRequest, context: Any
    ) -> search_pb2.ListFacesResponse:
        """Lists the faces of a collection."""
        collection = wire.collection_id(request.parent)
        page, owners = await self._pipeline.list(
            caller().tenant,
            collection,
            request.page_size,
            request.page_token,
            wire.wanted(collection, request.filter),
        )
        return search_pb2.ListFacesResponse(
            faces=[wire.face(collection, item, owners.get(item.id, "")) for item in page.items],
            next_page_token=page.next_token,
        )

    async def DeleteFaces(
        self, request: search_pb2.DeleteFacesRequest, context: Any
    ) -> search_pb2.DeleteFacesResponse:
        """Deletes faces of one collection."""
        collection = wire.collection_id(request.parent)
        faces = wire.faces_within("names", collection, request.names)
        gone, taken = await self._pipeline.delete(caller().tenant, collection, faces)
        return search_pb2.DeleteFacesResponse(
            deleted_names=[wire.face_name(collection, face) for face in faces if face in gone],
            missing_names=[
                wire.face_name(collection, face)
                for face in faces
                if face not in gone and face not in taken
            ],
            associated_faces=[
                search_pb2.AssociatedFace(
                    name=wire.face_name(collection, face),
                    person=wire.person_name(collection, taken[face]),
                )
                for face in faces
                if face in taken
            ],
        )

    async def SearchFaces(
        self, request: search_pb2.SearchFacesRequest, context: Any
    ) -> search_pb2.SearchFacesResponse:
        """Searches with an enrolled face."""
        collection, face = wire.face_ids(request.name)
        found, explained = await self._pipeline.search_face(
            caller().tenant, collection, face, sought(request)
        )
        return search_pb2.SearchFacesResponse(
            candidates=_candidates(collection, found),
            model=wire_faces.model_version(self._pipeline.model),
            explanation=explanation(explained),
        )

    async def SearchFacesByImage(
        self, request: search_pb2.SearchFacesByImageRequest, context: Any
    ) -> search_pb2.SearchFacesByImageResponse:
        """Searches with the largest face of a picture."""
        collection = wire.collection_id(request.parent)
        probe, found, explained = await self._pipeline.search_image(
            caller().tenant, collection, request.image.content, sought(request)
        )
        return search_pb2.SearchFacesByImageResponse(
            searched_face=wire_faces.detected_face(probe),
            candidates=_candidates(collection, found),
            model=wire_faces.model_version(self._pipeline.model),
            explanation=explanation(explained),
        )


def enrolled_under(past: Provenance, who: Caller) -> Provenance:
    """The provenance with what the call brought.

    That is the signed consent, unless it names another, and the time by which the law wants the face
    gone, where that is sooner.
    """
    times = [time for time in (past.expire_ns, who.delete_by_ns) if time]
    past = replace(past, expire_ns=min(times, default=0))
    shown = who.facts.get("evidence")
    consent = shown.get("consent") if isinstance(shown, Mapping) else None
    if not isinstance(consent, Mapping) or past.consent_id not in ("", consent["id"]):
        return past
    return replace(past, consent_id=str(consent["id"]), consent_issuer=str(consent["issuer"]))


def _candidates(collection: str, found: Sequence[Candidate]) -> list[search_pb2.Candidate]:
    return [
        search_pb2.Candidate(
            face=wire.face(collection, candidate.face),
            similarity=candidate.similarity,
            margin=candidate.margin,
        )
        for candidate in found
    ]


def _bulk(enrolment: enrolment_pb2.BulkEnrolment) -> Bulk:
    who = caller()
    return Bulk(
        tenant=who.tenant,
        principal=who.principal,
        collection=wire.collection_id(enrolment.parent),
        provenance=enrolled_under(wire.provenance_of(enrolment.provenance), who),
        duplicate_cosine=enrolment.duplicate_cosine,
    )


def _picture(
    said: enrolment_pb2.BulkPicture | enrolment_pb2.ImportedFace, content: bytes, sha256: str
) -> Picture:
    taken = said.capture_time.ToNanoseconds() if said.HasField("capture_time") else 0
    return Picture(content, sha256, said.external_image_id, taken, said.consent_id)


def _ready(batch: enrolment_pb2.ImportBatch) -> Ready:
    count = len(batch.faces)
    if len(batch.templates) % (4 * count):
        raise InvalidArgument("batch.templates", f"must be as many for each of {count} faces")
    return Ready(
        np.frombuffer(batch.templates, "<f4").reshape(count, -1),
        [_picture(face, b"", face.image_sha256) for face in batch.faces],
    )


def _batch(said: transfer_pb2.FaceBatch) -> Batch:
    count = len(said.details)
    if count == 0 or len(said.templates) % (4 * count):
        if said.templates or count:
            raise InvalidArgument("batch.templates", f"must be as many for each of {count} faces")
        return Batch(np.zeros((0, 0), np.float32), people=said.people)
    templates = np.frombuffer(said.templates, "<f4").reshape(count, -1)
    return Batch(templates, said.details, said.people)


def _enrolment_result(bulk: Bulk, result: Result) -> enrolment_pb2.EnrolmentResult:
    if isinstance(result.outcome, Face):
        made = wire.face(bulk.collection, result.outcome)
        return enrolment_pb2.EnrolmentResult(item=result.item, face=made)
    return enrolment_pb2.EnrolmentResult(item=result.item, status=status(result.outcome))


def _imported(bulk: Bulk, results: Sequence[Result]) -> enrolment_pb2.ImportFacesResponse:
    answer = enrolment_pb2.ImportFacesResponse()
    for result in results:
        said = answer.results.add(item=result.item)
        if isinstance(result.outcome, Face):
            said.face.name = wire.face_name(bulk.collection, result.outcome.id)
        else:
            said.status.CopyFrom(status(result.outcome))
    return answer
