"""Schema versions, settings and URLs."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError
from pymilvus import DataType, MilvusClient

from beholden.core.errors import FailedPrecondition, Unavailable
from beholden.core.gallery import Collection, Face, FaceFilter
from beholden.store import migrations
from beholden.store.backend import Backend
from beholden.store.lite import LiteBackend
from beholden.store.migrations import migrate
from beholden.store.open import open_store
from beholden.store.rows import entry_of, entry_to_row, faces_to_rows
from beholden.store.schema import catalog_name
from beholden.store.settings import StoreSettings
from tests.contract.stores import DIMENSION, collection, faces, lite


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
    make_catalog(backend.client.milvus, 3)
    backend.close()
    with pytest.raises(FailedPrecondition, match=r"schema 3.*newer version"):
        await open_store(place.url, StoreSettings())


def test_migrations_run_in_order_and_drop_what_was_before(tmp_path: Path) -> None:
    backend = LiteBackend(tmp_path / "faces.db", StoreSettings())
    client = backend.client.milvus
    steps = []

    def step(version: int):
        def run(given: Backend, settings: StoreSettings) -> None:
            steps.append(version)
            if len(steps) == 2:
                make_catalog(client, 3)
                raise Unavailable("milvus", "killed")
            make_catalog(client, version + 1)

        return run

    known = {version: step(version) for version in (1, 2)}

    def run() -> None:
        migrate(backend, StoreSettings(), version=3, migrations=known)

    run()
    assert steps == [], "there was nothing to migrate"
    make_catalog(client, 1)
    with pytest.raises(Unavailable):
        run()
    run()
    assert steps == [1, 2, 2], "what was cut short begins anew"
    run()
    assert steps == [1, 2, 2]
    assert client.list_collections() == [catalog_name("beholden", 3)]
    backend.close()


def write_first_version(backend: LiteBackend, kept: list[Face], made: Collection) -> None:
    """As the first version laid it out, with the fields that it knew."""
    backend.opened()
    client = backend.client.milvus
    entry = entry_of(made)
    known = {"quality", "pose", "size"}
    rows = []
    for row in faces_to_rows(entry.scope, kept, DIMENSION):
        detail = {
            name: value for name, value in json.loads(row["detail"]).items() if name not in known
        }
        detail["provenance"].pop("consent_issuer", None)
        rows.append({**{name: row[name] for name in ("id", "scope", "template")}, "detail": detail})
    catalogue = entry_to_row(entry, live=True)
    for name, vector, made_of in (
        ("beholden_v1_faces_16", "template", rows),
        ("beholden_v1_catalog", "vector", [catalogue]),
    ):
        schema = MilvusClient.create_schema()
        schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=600)
        schema.add_field("scope", DataType.VARCHAR, max_length=32)
        schema.add_field("detail", DataType.JSON)
        size = len(made_of[0][vector])
        schema.add_field(vector, DataType.FLOAT_VECTOR, dim=size)
        if vector == "vector":
            schema.add_field("live", DataType.BOOL)
        client.create_collection(name, schema=schema)
        client.load_collection(name)
        backend.put(name, made_of)


async def test_galleries_of_the_first_version_are_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "_PAGE", 3)
    kept, made = faces(8), collection("news")
    backend = LiteBackend(tmp_path / "faces.db", StoreSettings())
    write_first_version(backend, kept, made)
    backend.close()
    for _ in range(2):
        async with lite(tmp_path).opened() as store:
            assert await store.get_collection("news", "people") == made
            assert await store.count_faces("news", "people") == 8
            (found,) = await store.get_faces("news", "people", [kept[7].id])
            assert found == kept[7]
            page = await store.list_faces(
                "news", "people", page_size=5, wanted=FaceFilter(consent_id="c-1")
            )
            assert page.items == tuple(kept[:5])
            (match,) = await store.search("news", "people", kept[3].template, limit=1)
            assert match.face == kept[3]
    backend = LiteBackend(tmp_path / "faces.db", StoreSettings())
    assert not [name for name in backend.client.milvus.list_collections() if "_v1_" in name]
    backend.close()


async def test_a_loss_is_told_before_anything_is_moved(tmp_path: Path) -> None:
    backend = LiteBackend(tmp_path / "faces.db", StoreSettings())
    write_first_version(backend, faces(3), collection("news"))
    backend.client.milvus.delete("beholden_v1_faces_16", filter='id > ""')
    backend.close()
    with pytest.raises(FailedPrecondition, match="lost 3 rows"):
        await open_store(lite(tmp_path).url, StoreSettings())


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
