"""An erasure that the store cuts short is finished by the same call."""

from pathlib import Path
from typing import Any

import pytest

from beholden.core.errors import Unavailable
from beholden.core.gallery import Person
from beholden.search.erasure.pipeline import ErasurePipeline, Subject
from tests.contract.stores import collection, face, lite, templates

TENANT = "news"


class Failing:
    """The store, which fails at its removal number `left`."""

    def __init__(self, store: Any, left: int) -> None:
        self._store = store
        self.left = left

    def __getattr__(self, name: str) -> Any:
        if name in {"delete_faces", "delete_person"}:
            self.left -= 1
            if self.left < 0:
                raise Unavailable("milvus", "gone")
        return getattr(self._store, name)


@pytest.mark.parametrize("subject", [Subject(external_image_id="ada"), Subject(person="ada")])
async def test_cut_short_anywhere_it_goes_on(tmp_path: Path, subject: Subject) -> None:
    probing: Any = None  # only pictures are asked about
    mine = [face(one, external_image_id="ada") for one in templates(4)]
    other = face(templates(1, 9)[0], external_image_id="bob")
    async with lite(tmp_path).opened() as store:
        for name in ("a", "b"):
            await store.create_collection(collection(TENANT, name))
            await store.add_faces(TENANT, name, [*(mine[:2] if name == "a" else mine[2:]), other])
            await store.create_person(TENANT, name, Person("ada", 1))
        for name, some in (("a", mine[:2]), ("b", mine[2:])):
            await store.associate_faces(TENANT, name, "ada", [one.id for one in some])
        cuts = 0
        for left in (0, 1, 2, 1):
            try:
                await ErasurePipeline(Failing(store, left), probing).erase(  # type: ignore[arg-type]
                    TENANT, subject, dry=False
                )
                break
            except Unavailable:
                cuts += 1
        assert cuts >= 2
        erasure = ErasurePipeline(store, probing)
        assert (await erasure.erase(TENANT, subject, dry=False)).erased
        assert not (await erasure.erase(TENANT, subject, dry=True)).collections
        for name in ("a", "b"):
            assert (await store.list_faces(TENANT, name, page_size=9)).items == (other,)
            assert (await store.list_people(TENANT, name, page_size=9)).items == ()
            assert not await store.search_people(TENANT, name, mine[0].template, limit=5)
