"""What a tenant may keep, counted in a real store."""

from pathlib import Path

import pytest

from beholden.core.errors import ResourceExhausted
from beholden.search.quotas import Quotas
from beholden.search.settings import Quota, SearchSettings
from tests.contract import stores
from tests.contract.stores import collection, faces


async def test_a_tenant_keeps_no_more_than_its_quota(tmp_path: Path) -> None:
    now = 0.0
    settings = SearchSettings(
        quota=Quota(collections=1, faces=5), quotas={"large": Quota(collections=2)}
    )
    async with stores.lite(tmp_path).opened() as store:
        quotas = Quotas(store, settings, clock=lambda: now)
        await quotas.check_collection("small")
        for tenant in ("small", "large"):
            await store.create_collection(collection(tenant))
        with pytest.raises(ResourceExhausted, match="small may keep 1 collections"):
            await quotas.check_collection("small")
        await quotas.check_collection("large")

        await quotas.check_faces("small", 3)
        await store.add_faces("small", "people", faces(3))
        with pytest.raises(ResourceExhausted, match="5 faces, and keeps 3"):
            await quotas.check_faces("small", 3)
        await quotas.check_faces("small", 2)
        await quotas.check_faces("large", 1000)

        # What was let in counts before it is stored; once it was not, it does not after a while.
        now = 6.0
        await quotas.check_faces("small", 2)
        kept = await store.list_faces("small", "people", page_size=10)
        await store.delete_faces("small", "people", [one.id for one in kept.items])
        await quotas.check_faces("small", 5)
