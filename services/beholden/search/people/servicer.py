"""The people of SearchService on the wire: translates, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from beholden.core.caller import caller
from beholden.core.gallery import Unassociated
from beholden.search.people.pipeline import PersonCandidate
from beholden.search.pipeline import SearchPipeline
from beholden.search.probing import Sought
from beholden.v1 import search_pb2, search_pb2_grpc
from beholden.wire import faces as wire_faces
from beholden.wire import gallery as wire
from beholden.wire.explanation import explanation

_Search = (
    search_pb2.SearchFacesRequest
    | search_pb2.SearchFacesByImageRequest
    | search_pb2.SearchPeopleRequest
    | search_pb2.SearchPeopleByImageRequest
)


class PeopleServicer(search_pb2_grpc.SearchServiceServicer):
    """Those of its methods that are about people."""

    def __init__(self, pipeline: SearchPipeline) -> None:
        self._people = pipeline.people
        self._searching = pipeline

    async def CreatePerson(
        self, request: search_pb2.CreatePersonRequest, context: Any
    ) -> search_pb2.CreatePersonResponse:
        """Makes a person without a face."""
        collection = wire.collection_id(request.parent)
        made = await self._people.create(
            caller().tenant, collection, request.person_id, request.display_name
        )
        return search_pb2.CreatePersonResponse(person=wire.person(collection, made))

    async def GetPerson(
        self, request: search_pb2.GetPersonRequest, context: Any
    ) -> search_pb2.GetPersonResponse:
        """Returns one person."""
        collection, person = wire.person_ids(request.name)
        found = await self._people.get(caller().tenant, collection, person)
        return search_pb2.GetPersonResponse(person=wire.person(collection, found))

    async def ListPeople(
        self, request: search_pb2.ListPeopleRequest, context: Any
    ) -> search_pb2.ListPeopleResponse:
        """Lists the people of a collection."""
        collection = wire.collection_id(request.parent)
        page = await self._people.list(
            caller().tenant, collection, request.page_size, request.page_token
        )
        return search_pb2.ListPeopleResponse(
            people=[wire.person(collection, one) for one in page.items],
            next_page_token=page.next_token,
        )

    async def DeletePerson(
        self, request: search_pb2.DeletePersonRequest, context: Any
    ) -> search_pb2.DeletePersonResponse:
        """Deletes a person; their faces stay."""
        collection, person = wire.person_ids(request.name)
        gone = await self._people.delete(caller().tenant, collection, person)
        return search_pb2.DeletePersonResponse(person=wire.person(collection, gone))

    async def AssociateFaces(
        self, request: search_pb2.AssociateFacesRequest, context: Any
    ) -> search_pb2.AssociateFacesResponse:
        """Makes faces a person's."""
        collection, person = wire.person_ids(request.name)
        faces = wire.faces_within("faces", collection, request.faces)
        done = await self._people.associate(caller().tenant, collection, person, faces)
        return search_pb2.AssociateFacesResponse(
            person=wire.person(collection, done.person),
            unassociated_faces=_left(collection, done.left),
        )

    async def DisassociateFaces(
        self, request: search_pb2.DisassociateFacesRequest, context: Any
    ) -> search_pb2.DisassociateFacesResponse:
        """Takes faces from a person."""
        collection, person = wire.person_ids(request.name)
        faces = wire.faces_within("faces", collection, request.faces)
        done = await self._people.disassociate(caller().tenant, collection, person, faces)
        return search_pb2.DisassociateFacesResponse(
            person=wire.person(collection, done.person),
            unassociated_faces=_left(collection, done.left),
        )

    async def SearchPeople(
        self, request: search_pb2.SearchPeopleRequest, context: Any
    ) -> search_pb2.SearchPeopleResponse:
        """Searches with an enrolled face or person."""
        _, collection, kind, probe = request.name.split("/", 3)
        search = self._people.search_face if kind == "faces" else self._people.search_person
        found, explained = await search(caller().tenant, collection, probe, sought(request))
        return search_pb2.SearchPeopleResponse(
            candidates=_candidates(collection, found),
            model=wire_faces.model_version(self._searching.model),
            explanation=explanation(explained),
        )

    async def SearchPeopleByImage(
        self, request: search_pb2.SearchPeopleByImageRequest, context: Any
    ) -> search_pb2.SearchPeopleByImageResponse:
        """Searches with the largest face of a picture."""
        collection = wire.collection_id(request.parent)
        probe, found, explained = await self._people.search_image(
            caller().tenant, collection, request.image.content, sought(request)
        )
        return search_pb2.SearchPeopleByImageResponse(
            searched_face=wire_faces.detected_face(probe),
            candidates=_candidates(collection, found),
            model=wire_faces.model_version(self._searching.model),
            explanation=explanation(explained),
        )


def sought(request: _Search) -> Sought:
    """How to search, with what the law asks of it."""
    filtered = (
        isinstance(
            request, search_pb2.SearchFacesByImageRequest | search_pb2.SearchPeopleByImageRequest
        )
        and request.quality_filter == search_pb2.QUALITY_FILTER_AUTO
    )
    return Sought(
        limit=request.max_results,
        min_similarity=request.min_similarity if request.HasField("min_similarity") else None,
        obligations=caller().obligations,
        filtered=filtered,
    )


def _left(
    collection: str, left: Sequence[tuple[str, Unassociated]]
) -> list[search_pb2.UnassociatedFace]:
    return [
        search_pb2.UnassociatedFace(
            name=wire.face_name(collection, face), reason=f"UNASSOCIATED_REASON_{why.value}"
        )
        for face, why in left
    ]


def _candidates(
    collection: str, found: Sequence[PersonCandidate]
) -> list[search_pb2.PersonCandidate]:
    return [
        search_pb2.PersonCandidate(
            person=wire.person(collection, one.person),
            similarity=one.similarity,
            margin=one.margin,
        )
        for one in found
    ]
