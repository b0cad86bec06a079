"""A tenant's own examples of what is unsafe, and of what is not, kept as galleries are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from beholden.core.errors import AlreadyExists, FailedPrecondition, NotFound
from beholden.core.faces import Template
from beholden.core.gallery import Collection, Face, Page, Provenance
from beholden.core.geometry import Box
from beholden.core.models import ModelSpec
from beholden.core.ports import FaceStore

_GALLERY = "examples"
_WHOLE = Box(0.0, 0.0, 1.0, 1.0)
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Example:
    """A picture that shows what `label` means, or an ordinary one where that is empty.

    `features` are the picture's, of unit length; the picture itself is not kept, only its SHA-256.
    """

    id: str
    label: str
    media_sha256: str
    added_ns: int
    added_by: str
    features: Template = field(repr=False, compare=False)


class Examples:
    """Reads and writes them in a `FaceStore`, out of the reach of SearchService.

    An example is a row like a face: features, the label in the place of the external id, and its past.
    """

    def __init__(self, store: FaceStore, model: ModelSpec) -> None:
        self._store = store
        self._model = model

    async def add(self, tenant: str, example: Example) -> None:
        """Durable on return; one with an id that is there replaces it. Raises FailedPrecondition."""
        if not await self._there(tenant):
            made = Collection(
                tenant=_owner(tenant),
                id=_GALLERY,
                model=self._model.id,
                dimension=self._model.outputs[0].shape[-1],
                created_ns=example.added_ns,
            )
            try:
                await self._store.create_collection(made)
            except AlreadyExists:
                await self._there(tenant)
        await self._store.add_faces(_owner(tenant), _GALLERY, [_row(example)])

    async def count(self, tenant: str) -> int:
        """How many there are. Raises FailedPrecondition."""
        if not await self._there(tenant):
            return 0
        return await self._store.count_faces(_owner(tenant), _GALLERY)

    async def page(self, tenant: str, page_size: int, page_token: str) -> Page[Example]:
        """By id, whatever model made them. Raises InvalidArgument (page token)."""
        try:
            page = await self._store.list_faces(
                _owner(tenant), _GALLERY, page_size=page_size, page_token=page_token
            )
        except NotFound:
            return Page(())
        return Page(tuple(map(_example, page.items)), page.next_token)

    async def all(self, tenant: str) -> list[Example]:
        """Every one, for calibration. Raises FailedPrecondition."""
        if not await self._there(tenant):
            return []
        page = await self.page(tenant, _PAGE, "")
        found = list(page.items)
        while page.next_token:
            page = await self.page(tenant, _PAGE, page.next_token)
            found += page.items
        return found

    async def nearest(
        self, tenant: str, features: Template, limit: int
    ) -> Sequence[tuple[str, float]]:
        """Labels and cosines of the nearest, the nearest first. Raises FailedPrecondition."""
        if not await self._there(tenant):
            return ()
        matches = await self._store.search(_owner(tenant), _GALLERY, features, limit=limit)
        return [(match.face.external_image_id, match.cosine) for match in matches]

    async def delete(self, tenant: str, id: str) -> None:
        """Gone on return; with the last one goes the model that made them. Raises NotFound."""
        try:
            gone = await self._store.delete_faces(_owner(tenant), _GALLERY, [id])
            if not await self._store.count_faces(_owner(tenant), _GALLERY):
                await self._store.delete_collection(_owner(tenant), _GALLERY)
        except NotFound:
            gone = ()
        if not gone:
            raise NotFound(f"moderationExamples/{id}")

    async def _there(self, tenant: str) -> bool:
        """Whether the tenant has any. Raises FailedPrecondition where another model made them."""
        try:
            found = await self._store.get_collection(_owner(tenant), _GALLERY)
        except NotFound:
            return False
        if found.model != self._model.id:
            raise FailedPrecondition(
                f"the examples were made with {found.model}, not {self._model.id}",
                remedy="serve that model, or delete the examples and add them again",
                reason="MODEL_MISMATCH",
            )
        return True


def _owner(tenant: str) -> str:
    # No tenant's id has a slash, so that no other collection is ever meant.
    return f"{tenant}/moderation"


def _row(example: Example) -> Face:
    return Face(
        id=example.id,
        external_image_id=example.label,
        media_sha256=example.media_sha256,
        box=_WHOLE,
        confidence=1.0,
        enrolled_ns=example.added_ns,
        enrolled_by=example.added_by,
        provenance=Provenance(),
        template=example.features,
    )


def _example(row: Face) -> Example:
    return Example(
        id=row.id,
        label=row.external_image_id,
        media_sha256=row.media_sha256,
        added_ns=row.enrolled_ns,
        added_by=row.enrolled_by,
        features=row.template,
    )
