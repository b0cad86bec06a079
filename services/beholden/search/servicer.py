"""SearchService on the wire: translates, and nothing else."""

from __future__ import annotations

from typing import Any

from beholden.core.caller import caller
from beholden.core.errors import InvalidArgument
from beholden.search.pipeline import Candidate, Enrolment, SearchPipeline
from beholden.v1 import search_pb2, search_pb2_grpc
from beholden.wire import faces as wire_faces
from beholden.wire import gallery as wire


class SearchServicer(search_pb2_grpc.SearchServiceServicer):
    """See protos/beholden/v1/search.proto."""

    def __init__(self, pipeline: SearchPipeline) -> None:
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
                provenance=wire.provenance_of(request.provenance),
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

    async def ListFaces(
        self, request: search_pb2.ListFacesRequest, context: Any
    ) -> search_pb2.ListFacesResponse:
        """Lists the faces of a collection."""
        collection = wire.collection_id(request.parent)
        page = await self._pipeline.list(
            caller().tenant, collection, request.page_size, request.page_token
        )
        return search_pb2.ListFacesResponse(
            faces=[wire.face(collection, item) for item in page.items],
            next_page_token=page.next_token,
        )

    async def DeleteFaces(
        self, request: search_pb2.DeleteFacesRequest, context: Any
    ) -> search_pb2.DeleteFacesResponse:
        """Deletes faces of one collection."""
        collection = wire.collection_id(request.parent)
        pairs = [wire.face_ids(name) for name in request.names]
        for number, (other, _) in enumerate(pairs):
            if other != collection:
                raise InvalidArgument(f"names[{number}]", f"is not a face of {request.parent}")
        gone = await self._pipeline.delete(caller().tenant, collection, [face for _, face in pairs])
        return search_pb2.DeleteFacesResponse(
            deleted_names=[wire.face_name(*pair) for pair in pairs if pair[1] in gone],
            missing_names=[wire.face_name(*pair) for pair in pairs if pair[1] not in gone],
        )

    async def SearchFaces(
        self, request: search_pb2.SearchFacesRequest, context: Any
    ) -> search_pb2.SearchFacesResponse:
        """Searches with an enrolled face."""
        collection, face = wire.face_ids(request.name)
        found = await self._pipeline.search_face(
            caller().tenant,
            collection,
            face,
            limit=request.max_results,
            threshold=request.min_similarity if request.HasField("min_similarity") else None,
        )
        return search_pb2.SearchFacesResponse(
            candidates=_candidates(collection, found),
            model=wire_faces.model_version(self._pipeline.model),
        )

    async def SearchFacesByImage(
        self, request: search_pb2.SearchFacesByImageRequest, context: Any
    ) -> search_pb2.SearchFacesByImageResponse:
        """Searches with the largest face of a picture."""
        collection = wire.collection_id(request.parent)
        probe, found = await self._pipeline.search_image(
            caller().tenant,
            collection,
            request.image.content,
            limit=request.max_results,
            threshold=request.min_similarity if request.HasField("min_similarity") else None,
        )
        return search_pb2.SearchFacesByImageResponse(
            searched_face=wire_faces.detected_face(probe),
            candidates=_candidates(collection, found),
            model=wire_faces.model_version(self._pipeline.model),
        )


def _candidates(collection: str, found: tuple[Candidate, ...]) -> list[search_pb2.Candidate]:
    return [
        search_pb2.Candidate(
            face=wire.face(collection, candidate.face), similarity=candidate.similarity
        )
        for candidate in found
    ]
