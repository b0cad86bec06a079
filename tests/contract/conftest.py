"""The engines that the contract tests run against, each row of them named by its kind."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from beholden.core.ports import FaceStore
from tests.contract import ledgers, stores


@pytest.fixture(params=ledgers.DATABASES)
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty ledger."""
    with ledgers.database(request.param, tmp_path) as url:
        yield url


@pytest.fixture(scope="session")
def milvus_place() -> Iterator[stores.Place]:
    """One for the session: a server takes seconds to make a collection."""
    with stores.milvus() as place:
        yield place


@pytest.fixture(params=stores.ENGINES)
def store_place(request: pytest.FixtureRequest, tmp_path: Path) -> stores.Place:
    """Where galleries are kept; empty of the test's own tenants."""
    if request.param == "lite":
        return stores.lite(tmp_path)
    place: stores.Place = request.getfixturevalue("milvus_place")
    return place


@pytest.fixture
async def store(store_place: stores.Place) -> AsyncIterator[FaceStore]:
    """Opened and closed with the test."""
    async with store_place.opened() as made:
        yield made
