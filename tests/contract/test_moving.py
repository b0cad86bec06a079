"""Every gallery of every tenant from one store to another and back, and on from where it was cut short."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from beholden.cli.run import run
from beholden.core.errors import FailedPrecondition
from beholden.core.gallery import Person
from beholden.core.ports import FaceStore
from beholden.search import moving
from tests.contract import stores
from tests.contract.stores import collection, faces

FACES = {"herald": faces(3), "lost": faces(4, seed=1)}


@pytest.fixture
async def filled(tmp_path: Path) -> AsyncIterator[tuple[stores.Place, FaceStore]]:
    """Two tenants with a collection of the same name, one of them with a person, in Milvus Lite."""
    place = stores.lite(tmp_path)
    async with place.opened() as store:
        for tenant, kept in FACES.items():
            await store.create_collection(collection(tenant))
            await store.add_faces(tenant, "people", kept)
        ada = Person("ada", 1_700_000_000_000_000_000, "Ada")
        await store.create_person("herald", "people", ada)
        await store.associate_faces(
            "herald", "people", "ada", [one.id for one in FACES["herald"][:2]]
        )
        yield place, store


async def contents(store: FaceStore) -> dict[str, tuple[object, ...]]:
    """All that is said of every tenant's collection, templates included."""
    found = {}
    async for one in moving.every_collection(store):
        faces = [item async for page in moving.pages(store, one) for item in page]
        people = [item async for item in moving.everybody(store, one)]
        said = tuple((item, tuple(item.template.tolist())) for item in faces)
        found[f"{one.tenant}/{one.id}"] = (one, said, tuple(people))
    return found


async def copied(source: FaceStore, target: FaceStore) -> list[moving.Moved]:
    return [
        await moving.copy(source, target, origin, origin)
        async for origin in moving.every_collection(source)
    ]


async def test_there_and_back_is_the_same(
    filled: tuple[stores.Place, FaceStore], store_place: stores.Place, tmp_path: Path
) -> None:
    """From Lite to each engine, and from there to Lite again."""
    _, store = filled
    before = await contents(store)
    for name in ("there", "back"):
        (tmp_path / name).mkdir()
    own = stores.lite(tmp_path / "there") if store_place.url.startswith("file:") else store_place
    async with own.opened() as there, stores.lite(tmp_path / "back").opened() as back:
        moved = await copied(store, there)
        assert sorted((one.faces, one.there, one.people) for one in moved) == [(3, 0, 1), (4, 0, 0)]
        found = await contents(there)
        assert {name: found[name] for name in before} == before
        for one, *_ in before.values():
            await moving.copy(there, back, one, one)
            await there.delete_collection(one.tenant, one.id)
        assert await contents(back) == before


@asynccontextmanager
async def other(folder: Path) -> AsyncIterator[FaceStore]:
    (folder / "other").mkdir()
    async with stores.lite(folder / "other").opened() as made:
        yield made


async def test_goes_on_where_it_was_cut_short(
    filled: tuple[stores.Place, FaceStore], tmp_path: Path
) -> None:
    _, store = filled
    async with other(tmp_path) as target:
        await target.create_collection(collection("herald"))
        await target.add_faces("herald", "people", FACES["herald"][:2])
        assert sum(one.there for one in await copied(store, target)) == 2
        assert await contents(target) == await contents(store)
        assert sum(one.there for one in await copied(store, target)) == 7


async def test_what_is_no_copy_is_said(
    filled: tuple[stores.Place, FaceStore], tmp_path: Path
) -> None:
    _, store = filled
    async with other(tmp_path) as target:
        await target.create_collection(collection("herald"))
        await target.add_faces("herald", "people", faces(1, seed=7))
        with pytest.raises(FailedPrecondition, match="holds 4 faces, not 3"):
            await moving.copy(store, target, collection("herald"), collection("herald"))
        await target.create_collection(collection("lost", model="other@1"))
        with pytest.raises(FailedPrecondition, match="other@1"):
            await moving.copy(store, target, collection("lost"), collection("lost"))


async def test_the_command(
    filled: tuple[stores.Place, FaceStore], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place, store = filled
    await store.close()
    target = f"file:{tmp_path}/new.db"
    assert await asyncio.to_thread(run, ["--json", "migrate", place.url, place.url]) == 2
    for there in (0, 7):
        capsys.readouterr()
        assert await asyncio.to_thread(run, ["--json", "migrate", place.url, target]) == 0
        said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert sum(line["faces"] for line in said) == 7
        assert sum(line["there_already"] for line in said) == there
        assert sum(line["people"] for line in said) == 1
