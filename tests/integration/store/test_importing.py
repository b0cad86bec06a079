"""Ready templates in one stream, into a real store."""

import uuid
from collections.abc import AsyncGenerator

import numpy as np

from beholden.core.gallery import Face, Provenance
from beholden.core.ports import Embedder, FaceStore
from beholden.search.bulk import Bulk, BulkPipeline, Picture, Ready
from beholden.search.collections import Collections
from beholden.search.quotas import Quotas
from beholden.search.settings import SearchSettings
from beholden.vision.enrolment import NO_LIMITS
from tests.contract.stores import Place, collection, templates


def pipeline(store: FaceStore, embedder: Embedder) -> BulkPipeline:
    quotas = Quotas(store, SearchSettings())
    collections = Collections(store, embedder, quotas)
    return BulkPipeline(store, collections, embedder, SearchSettings(), NO_LIMITS, quotas=quotas)


async def test_the_same_templates_in_many_batches_are_kept_once(store_place: Place) -> None:
    tenant, made = uuid.uuid4().hex, np.stack(templates(20))
    known = [Picture(b"", "", f"face-{row}") for row in range(len(made))]

    async def ready() -> AsyncGenerator[Ready]:
        for first in (0, 5, 0, 10, 0):  # each overlaps those that are still being kept
            yield Ready(made[first : first + 10], known[first : first + 10])

    async with store_place.opened() as store:
        await store.create_collection(collection(tenant))
        bulk = Bulk(tenant, "tester", "people", Provenance())
        taken = pipeline(store, None).take(bulk, "dlib@1", ready())  # type: ignore[arg-type]  # not asked
        results = [result async for some in taken for result in some]
        assert [result.item for result in results] == list(range(50))
        ids = {one.outcome.id for one in results if isinstance(one.outcome, Face)}
        assert len(ids) == await store.count_faces(tenant, "people") == 20
