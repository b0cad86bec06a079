"""Schema versions, settings and URLs."""

from pathlib import Path

import pytest
from pydantic import ValidationError
from pymilvus import DataType, MilvusClient

from beholden.core.errors import FailedPrecondition, Unavailable
from beholden.store.lite import LiteBackend
from beholden.store.open import open_store
from beholden.store.schema import catalog_name, migrate
from beholden.store.settings import StoreSettings
from tests.contract.stores import collection, lite


def make_catalog(client: MilvusClient, version: int) -> None:
    schema = MilvusClient.create_schema()
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=32)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    client.create_collection(catalog_name("beholden", version), schema=schema)


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    place = lite(tmp_path)
    async with place.opened() as store:
        await store.create_collection(collection("news"))
    backend = LiteBackend(tmp_path / "faces.db", StoreSettings())
    make_catalog(backend.client.milvus, 2)
    backend.close()
    with pytest.raises(FailedPrecondition, match=r"schema 2.*newer version"):
        await open_store(place.url, StoreSettings())


def test_migrations_run_in_order_from_what_is_there(tmp_path: Path) -> None:
    backend = LiteBackend(tmp_path / "faces.db", StoreSettings())
    client = backend.client.milvus
    steps = []

    def step(version: int):
        def run(given: MilvusClient, prefix: str) -> None:
            steps.append(version)
            make_catalog(given, version + 1)

        return run

    known = {version: step(version) for version in (1, 2, 3)}
    migrate(client, "beholden", version=3, migrations=known)
    assert steps == [], "there was nothing to migrate"
    make_catalog(client, 1)
    migrate(client, "beholden", version=3, migrations=known)
    assert steps == [1, 2]
    migrate(client, "beholden", version=3, migrations=known)
    assert steps == [1, 2]
    migrate(client, "other", version=1, migrations={})
    backend.close()


@pytest.mark.parametrize("index", ["hnsw", "DISKANN", "", "nonsense"])
def test_an_unknown_index_is_refused(index: str) -> None:
    """Milvus Lite would take any name and search without one."""
    with pytest.raises(ValidationError, match="HNSW"):
        StoreSettings(index=index)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url", ["", "faces.db", "file:", "file:///", "file://host/faces.db", "ftp://host", "http://"]
)
async def test_a_url_of_no_milvus_is_refused(url: str) -> None:
    with pytest.raises(FailedPrecondition, match="file:PATH"):
        await open_store(url, StoreSettings())


async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        await open_store("http://root:secret@127.0.0.1:1", StoreSettings(timeout=0.5))
    assert "secret" not in str(caught.value)


async def test_a_path_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "faces.db", tmp_path / "file"):
        with pytest.raises(Unavailable):
            await open_store(f"file:{path}", StoreSettings())
