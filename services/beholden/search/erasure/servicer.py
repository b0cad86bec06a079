"""The erasures of SearchService on the wire: translates, and nothing else."""

from __future__ import annotations

from typing import Any

from beholden.core.caller import caller
from beholden.core.errors import InvalidArgument
from beholden.search.erasure.pipeline import CollectionErasure, Subject
from beholden.search.people.servicer import PeopleServicer
from beholden.search.pipeline import SearchPipeline
from beholden.search.probing import Sought
from beholden.v1 import search_pb2
from beholden.wire import faces as wire_faces
from beholden.wire import gallery as wire


class ErasureServicer(PeopleServicer):
    """Those of its methods that erase, beside those about people."""

    def __init__(self, pipeline: SearchPipeline) -> None:
        super().__init__(pipeline)
        self._erasure = pipeline.erasure

    async def EraseSubject(
        self, request: search_pb2.EraseSubjectRequest, context: Any
    ) -> search_pb2.EraseSubjectResponse:
        """Erases by person, external id or consent."""
        if not (request.person_id or request.external_image_id or request.consent_id):
            raise InvalidArgument(
                "subject", "must be set: person_id, external_image_id or consent_id"
            )
        subject = Subject(request.person_id, request.external_image_id, request.consent_id)
        done = await self._erasure.erase(caller().tenant, subject, dry=request.validate_only)
        return search_pb2.EraseSubjectResponse(
            collections=map(_collection, done.collections),
            collection_count=done.looked,
            erased=done.erased,
        )

    async def EraseSubjectByImage(
        self, request: search_pb2.EraseSubjectByImageRequest, context: Any
    ) -> search_pb2.EraseSubjectByImageResponse:
        """Erases whom a picture shows, or lists what would go."""
        who = caller()
        least = request.min_similarity if request.HasField("min_similarity") else None
        done = await self._erasure.erase_like(
            who.tenant,
            request.image.content,
            Sought(min_similarity=least, obligations=who.obligations),
            request.etag,
        )
        return search_pb2.EraseSubjectByImageResponse(
            searched_face=wire_faces.detected_face(done.probe),
            matches=[
                search_pb2.MatchingFaces(
                    collection=f"collections/{collection}",
                    candidates=[
                        search_pb2.Candidate(
                            face=wire.face(collection, one.face), similarity=one.similarity
                        )
                        for one in found
                    ],
                )
                for collection, found in done.matches
            ],
            collections=map(_collection, done.erasure.collections),
            unsearched_collections=[f"collections/{one}" for one in done.unsearched],
            collection_count=done.erasure.looked,
            erased=done.erasure.erased,
            etag=done.etag,
            model=wire_faces.model_version(self._searching.model),
        )


def _collection(one: CollectionErasure) -> search_pb2.CollectionErasure:
    return search_pb2.CollectionErasure(
        collection=f"collections/{one.collection}",
        subject_faces_before=one.before,
        subject_faces_after=one.after,
        people=[wire.person_name(one.collection, person) for person in one.people],
        face_count_before=one.count_before,
        face_count_after=one.count_after,
        searches_finding_none=one.searches,
    )
