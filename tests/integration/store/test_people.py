"""A change of a person that is cut short, after each of its writes and anywhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beholden.core.errors import Unavailable
from beholden.core.gallery import FaceFilter, Person, PersonStatus
from beholden.core.ports import FaceStore
from tests.contract.children import child, kill_and_read
from tests.contract.stores import Place, collection, faces, lite, unit

TENANT, CHILD = "news", "tests.integration.store.child"


class Dying:
    """A backend whose process dies before its write number `left`."""

    def __init__(self, backend: Any, left: int) -> None:
        self._backend = backend
        self.left = left

    def __getattr__(self, name: str) -> Any:
        if name in {"put", "remove"}:
            self.left -= 1
            if self.left < 0:
                raise Unavailable("milvus", "killed")
        return getattr(self._backend, name)


async def whole(store: FaceStore, name: str = "people") -> None:
    """Every person has the faces that are theirs, and is found by their mean."""
    page = await store.list_people(TENANT, name, page_size=1000)
    for person in page.items:
        wanted = FaceFilter(person=person.id)
        theirs = (await store.list_faces(TENANT, name, page_size=1000, wanted=wanted)).items
        assert person.faces == tuple(one.id for one in theirs)
        assert (person.status is PersonStatus.ACTIVE) == bool(theirs)
        if theirs:
            probe = unit(np.mean([one.template for one in theirs], axis=0))
            matches = await store.search_people(TENANT, name, probe, limit=100)
            (cosine,) = (match.cosine for match in matches if match.person == person)
            assert cosine == pytest.approx(1, abs=1e-6)


@asynccontextmanager
async def gallery(place: Place) -> AsyncIterator[tuple[FaceStore, list[str]]]:
    async with place.opened() as store:
        await store.create_collection(collection(TENANT))
        made = faces(4)
        await store.add_faces(TENANT, "people", made)
        for name in ("ada", "bob"):
            await store.create_person(TENANT, "people", Person(name, 1))
        ids = [one.id for one in made]
        await store.associate_faces(TENANT, "people", "ada", ids[:2])
        await store.associate_faces(TENANT, "people", "bob", ids[2:3])
        yield store, ids


@pytest.mark.parametrize("act", ["associate", "disassociate", "delete face", "delete person"])
async def test_cut_short_between_two_writes(tmp_path: Path, act: str) -> None:
    async with gallery(lite(tmp_path)) as (store, ids):
        acts = {
            "associate": lambda: store.associate_faces(TENANT, "people", "ada", ids[3:]),
            "disassociate": lambda: store.disassociate_faces(TENANT, "people", "ada", ids[:1]),
            "delete face": lambda: store.delete_faces(TENANT, "people", [ids[1], ids[2]]),
            "delete person": lambda: store.delete_person(TENANT, "people", "ada"),
        }
        people: Any = store._people  # type: ignore[attr-defined]
        sound, deaths = people._backend, 0
        while True:
            dying = Dying(sound, deaths)
            people._backend = store._backend = dying  # type: ignore[attr-defined]
            try:
                await acts[act]()
                break
            except Unavailable:
                deaths += 1
            finally:
                people._backend = store._backend = sound  # type: ignore[attr-defined]
            await store.repair()
            assert await store.repair() == 0
            await whole(store)
        assert deaths >= 3
        await whole(store)


@pytest.mark.thorough
async def test_kill_9_leaves_every_person_whole(tmp_path: Path) -> None:
    with child(CHILD, "change_people_for_ever", tmp_path) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(5)]
        told += kill_and_read(process)
    async with lite(tmp_path).opened() as store:
        await whole(store)
        for line in told:
            word, person, *ids = line.split()
            if word == "theirs":
                owners = await store.people_of(TENANT, "people", ids)
                assert owners == dict.fromkeys(ids, person)
        assert await asyncio.wait_for(store.repair(), 5) == 0
