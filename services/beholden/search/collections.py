"""Collections: made for one embedding model, and kept to it."""

from __future__ import annotations

import time

from beholden.core.errors import FailedPrecondition
from beholden.core.gallery import Collection, Page
from beholden.core.ports import Embedder, FaceStore
from beholden.search.quotas import Quotas


class Collections:
    """Makes, shows and deletes a tenant's collections."""

    def __init__(self, store: FaceStore, embedder: Embedder, quotas: Quotas) -> None:
        self._store = store
        self._embedder = embedder
        self._quotas = quotas

    async def create(self, tenant: str, collection: str, display_name: str) -> Collection:
        """Made for the embedding model in use.

        Raises AlreadyExists, FailedPrecondition (no model), ResourceExhausted (quota).
        """
        model = self._embedder.model
        await self._quotas.check_collection(tenant)
        made = Collection(
            tenant=tenant,
            id=collection,
            model=model.id,
            dimension=model.outputs[0].shape[-1],
            created_ns=time.time_ns(),
            display_name=display_name,
        )
        await self._store.create_collection(made)
        return made

    async def get(self, tenant: str, collection: str) -> tuple[Collection, int]:
        """The collection and how many faces it holds. Raises NotFound."""
        found = await self._store.get_collection(tenant, collection)
        return found, await self._store.count_faces(tenant, collection)

    async def list(
        self, tenant: str, page_size: int, page_token: str
    ) -> tuple[Page[Collection], tuple[int, ...]]:
        """One page, and the face count of each."""
        page = await self._store.list_collections(
            tenant, page_size=page_size, page_token=page_token
        )
        counts = [await self._store.count_faces(tenant, item.id) for item in page.items]
        return page, tuple(counts)

    async def delete(self, tenant: str, collection: str) -> int:
        """How many faces went with it. Raises NotFound."""
        return await self._store.delete_collection(tenant, collection)

    async def compatible(self, tenant: str, collection: str) -> Collection:
        """The collection, when it was made for the model in use. Raises NotFound, FailedPrecondition."""
        found = await self._store.get_collection(tenant, collection)
        model = self._embedder.model
        if found.model != model.id:
            raise FailedPrecondition(
                f"collections/{collection} was made with {found.model}, not {model.id}",
                remedy="serve that model, or enrol its pictures anew: beholden collections reembed",
                reason="MODEL_MISMATCH",
            )
        return found
