"""Where galleries are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from beholden.core.faces import Template
from beholden.core.gallery import (
    EVERY_FACE,
    Association,
    Collection,
    DueFace,
    Face,
    FaceFilter,
    Match,
    Page,
    Person,
    PersonMatch,
)


class FaceStore(Protocol):
    """Galleries: collections of templates, searched by cosine. Tenants never see each other.

    From its expiry on a face is in no answer but that of `due_faces`, and no person is found by it.
    """

    async def create_collection(self, collection: Collection) -> None:
        """Durable on return. Raises AlreadyExists."""
        ...

    async def get_collection(self, tenant: str, collection: str) -> Collection:
        """Raises NotFound."""
        ...

    async def list_collections(
        self, tenant: str, *, page_size: int, page_token: str = ""
    ) -> Page[Collection]:
        """By id, ascending. Raises InvalidArgument for a page token that is not ours."""
        ...

    async def every_collection(self, *, page_size: int, page_token: str = "") -> Page[Collection]:
        """Of all tenants, a tenant's together and by id; for moving a store, never for a caller.

        Raises InvalidArgument (page token).
        """
        ...

    async def delete_collection(self, tenant: str, collection: str) -> int:
        """Removes it with all its faces and says how many those were. Raises NotFound."""
        ...

    async def count_faces(self, tenant: str, collection: str) -> int:
        """Raises NotFound."""
        ...

    async def add_faces(self, tenant: str, collection: str, faces: Sequence[Face]) -> None:
        """Durable and searchable on return; a face with an id that is there replaces it.

        Raises NotFound, InvalidArgument (wrong dimension, not finite, not unit length); all or nothing.
        """
        ...

    async def get_faces(self, tenant: str, collection: str, ids: Sequence[str]) -> tuple[Face, ...]:
        """Those of `ids` that are there, templates included, in the order asked.

        Raises NotFound (the collection).
        """
        ...

    async def list_faces(
        self,
        tenant: str,
        collection: str,
        *,
        page_size: int,
        page_token: str = "",
        wanted: FaceFilter = EVERY_FACE,
    ) -> Page[Face]:
        """Those `wanted`, by face id, ascending. Raises NotFound, InvalidArgument (page token)."""
        ...

    async def delete_faces(
        self, tenant: str, collection: str, ids: Sequence[str]
    ) -> tuple[str, ...]:
        """Removes those that are there and returns their ids; not searchable on return. Raises NotFound.

        A person's face is first taken from them.
        """
        ...

    async def due_faces(
        self, *, before_ns: int, consents: Sequence[str], limit: int
    ) -> tuple[DueFace, ...]:
        """Up to `limit` faces of all tenants that expire before an instant or name one of `consents`."""
        ...

    async def search(
        self,
        tenant: str,
        collection: str,
        template: Template,
        *,
        limit: int,
        min_cosine: float = -1.0,
    ) -> tuple[Match, ...]:
        """The nearest, cosine descending then id, at most `limit`; the faces without their templates.

        Raises NotFound, InvalidArgument.
        """
        ...

    async def create_person(self, tenant: str, collection: str, person: Person) -> Person:
        """Makes them without a face; durable on return. Raises NotFound (collection), AlreadyExists."""
        ...

    async def get_person(self, tenant: str, collection: str, person: str) -> Person:
        """Raises NotFound."""
        ...

    async def list_people(
        self, tenant: str, collection: str, *, page_size: int, page_token: str = ""
    ) -> Page[Person]:
        """By id, ascending. Raises NotFound (collection), InvalidArgument (page token)."""
        ...

    async def count_people(self, tenant: str, collection: str) -> int:
        """Those without a face among them, and at times one twice who is being changed. Raises NotFound."""
        ...

    async def delete_person(self, tenant: str, collection: str, person: str) -> Person:
        """Who it was; their faces stay, and are nobody's. Raises NotFound."""
        ...

    async def associate_faces(
        self, tenant: str, collection: str, person: str, faces: Sequence[str]
    ) -> Association:
        """Makes faces a person's; searched by them on return. Those that are already stay so.

        Raises NotFound (collection, person).
        """
        ...

    async def disassociate_faces(
        self, tenant: str, collection: str, person: str, faces: Sequence[str]
    ) -> Association:
        """Takes faces from a person; no longer searched by them on return.

        Left are those that were not theirs (FACE_NOT_FOUND). Raises NotFound (collection, person).
        """
        ...

    async def people_of(
        self, tenant: str, collection: str, faces: Sequence[str]
    ) -> Mapping[str, str]:
        """Whose the faces are: a person's id by face id, for those that are a person's. Raises NotFound."""
        ...

    async def search_people(
        self,
        tenant: str,
        collection: str,
        template: Template,
        *,
        limit: int,
        min_cosine: float = -1.0,
    ) -> tuple[PersonMatch, ...]:
        """The nearest people, as `search`; those without faces are not found."""
        ...

    async def repair(self) -> int:
        """Finishes changes of people that were cut short, and says how many those were."""
        ...

    async def ready(self) -> bool:
        """Whether the store can be asked now."""
        ...

    async def close(self) -> None:
        """Flushes and lets go; further calls raise Unavailable."""
        ...
