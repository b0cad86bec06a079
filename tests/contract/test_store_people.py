"""What every FaceStore must do with people."""

import asyncio
import uuid
from dataclasses import replace

import numpy as np
import pytest

from beholden.core.errors import AlreadyExists, InvalidArgument, NotFound
from beholden.core.gallery import (
    MAX_FACES,
    Collection,
    Face,
    FaceFilter,
    Person,
    PersonStatus,
    Unassociated,
)
from beholden.core.ports import FaceStore
from tests.contract.stores import Place, collection, face, faces, templates, unit

ADA, BOB = Person("ada", 5, "Ada"), Person("bob", 7)
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def gallery(store: FaceStore) -> Collection:
    """A new tenant's, for a server is shared."""
    made = collection(f"tenant-{uuid.uuid4()}")
    await store.create_collection(made)
    return made


@pytest.fixture
async def mine(store: FaceStore, gallery: Collection) -> list[Face]:
    made = faces(6)
    await store.add_faces(gallery.tenant, "people", made)
    return made


def of(*some: Face) -> list[str]:
    return [one.id for one in some]


async def found(store: FaceStore, gallery: Collection, probe: Face) -> dict[str, float]:
    matches = await store.search_people(gallery.tenant, "people", probe.template, limit=10)
    assert [match.cosine for match in matches] == sorted((m.cosine for m in matches), reverse=True)
    return {match.person.id: match.cosine for match in matches}


async def test_people_come_and_go(store: FaceStore, gallery: Collection) -> None:
    tenant = gallery.tenant
    for person in (BOB, ADA):
        assert await store.create_person(tenant, "people", person) == person
    with pytest.raises(AlreadyExists, match="people/ada"):
        await store.create_person(tenant, "people", replace(ADA, display_name="Other"))
    assert await store.get_person(tenant, "people", "ada") == ADA
    first = await store.list_people(tenant, "people", page_size=1)
    rest = await store.list_people(tenant, "people", page_size=1, page_token=first.next_token)
    assert (first.items, rest.items, rest.next_token) == ((ADA,), (BOB,), "")
    assert await store.delete_person(tenant, "people", "ada") == ADA
    with pytest.raises(NotFound, match="people/ada"):
        await store.get_person(tenant, "people", "ada")
    assert (await store.list_people(tenant, "people", page_size=9)).items == (BOB,)
    await store.create_person(tenant, "people", ADA)


async def test_a_person_is_found_by_the_mean_of_their_faces(
    store: FaceStore, gallery: Collection, mine: list[Face]
) -> None:
    tenant = gallery.tenant
    for person in (ADA, BOB):
        await store.create_person(tenant, "people", person)
    assert await found(store, gallery, mine[0]) == {}, "nobody has a face yet"
    done = await store.associate_faces(tenant, "people", "ada", of(*mine[:2]))
    assert done.left == ()
    assert done.person.faces == tuple(of(*mine[:2]))
    assert done.person.status is PersonStatus.ACTIVE
    await store.associate_faces(tenant, "people", "bob", of(mine[3]))
    assert await store.get_person(tenant, "people", "ada") == done.person
    mean = unit(mine[0].template + mine[1].template)
    matches = await found(store, gallery, mine[0])
    assert matches["ada"] == pytest.approx(float(mean @ mine[0].template), abs=1e-6)
    assert (await found(store, gallery, mine[3]))["bob"] == pytest.approx(1, abs=1e-6)
    assert await store.people_of(tenant, "people", [*of(*mine), NOWHERE, "x"]) == {
        mine[0].id: "ada",
        mine[1].id: "ada",
        mine[3].id: "bob",
    }
    page = await store.list_faces(tenant, "people", page_size=9, wanted=FaceFilter(person="ada"))
    assert of(*page.items) == of(*mine[:2])
    bounded = await store.search_people(tenant, "people", mine[3].template, limit=1)
    assert [match.person.id for match in bounded] == ["bob"]
    assert not await store.search_people(
        tenant, "people", -mine[3].template, limit=5, min_cosine=0.9
    )


async def test_what_cannot_be_associated_says_why(
    store: FaceStore, gallery: Collection, mine: list[Face]
) -> None:
    tenant = gallery.tenant
    for person in (ADA, BOB):
        await store.create_person(tenant, "people", person)
    await store.associate_faces(tenant, "people", "bob", of(mine[0]))
    done = await store.associate_faces(
        tenant, "people", "ada", [mine[0].id, NOWHERE, "x", mine[1].id, mine[1].id]
    )
    assert done.left == (
        (mine[0].id, Unassociated.FACE_OF_ANOTHER_PERSON),
        (NOWHERE, Unassociated.FACE_NOT_FOUND),
        ("x", Unassociated.FACE_NOT_FOUND),
    )
    again = await store.associate_faces(tenant, "people", "ada", of(mine[1]))
    assert (again.person.faces, again.left) == ((mine[1].id,), ())
    for call in (
        store.associate_faces(tenant, "people", "eve", of(mine[2])),
        store.disassociate_faces(tenant, "people", "eve", of(mine[2])),
        store.delete_person(tenant, "people", "eve"),
        store.get_person(tenant, "other", "ada"),
        store.create_person(tenant, "other", ADA),
    ):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(InvalidArgument, match="person"):
        await store.create_person(tenant, "people", Person("x" * 129, 1))
    assert await store.people_of(tenant, "people", of(mine[2])) == {}


async def test_faces_taken_away_are_searched_no_more(
    store: FaceStore, gallery: Collection, mine: list[Face]
) -> None:
    tenant = gallery.tenant
    await store.create_person(tenant, "people", ADA)
    await store.associate_faces(tenant, "people", "ada", of(*mine[:3]))
    done = await store.disassociate_faces(tenant, "people", "ada", [*of(mine[0]), NOWHERE])
    assert done.left == ((NOWHERE, Unassociated.FACE_NOT_FOUND),)
    assert done.person.faces == tuple(of(*mine[1:3]))
    assert await store.delete_faces(tenant, "people", of(mine[1])) == tuple(of(mine[1]))
    assert (await store.get_person(tenant, "people", "ada")).faces == (mine[2].id,)
    assert (await found(store, gallery, mine[2]))["ada"] == pytest.approx(1, abs=1e-6)
    await store.delete_faces(tenant, "people", of(mine[2]))
    assert await store.get_person(tenant, "people", "ada") == ADA
    assert await found(store, gallery, mine[2]) == {}
    await store.associate_faces(tenant, "people", "ada", of(mine[4]))
    gone = await store.delete_person(tenant, "people", "ada")
    assert gone.faces == (mine[4].id,)
    assert of(*await store.get_faces(tenant, "people", of(mine[4]))) == of(mine[4])
    assert await store.people_of(tenant, "people", of(mine[4])) == {}


async def test_a_person_has_so_many_faces_and_no_more(
    store: FaceStore, gallery: Collection
) -> None:
    many = faces(MAX_FACES + 2)
    await store.add_faces(gallery.tenant, "people", many)
    await store.create_person(gallery.tenant, "people", ADA)
    done = await store.associate_faces(gallery.tenant, "people", "ada", of(*many))
    assert len(done.person.faces) == MAX_FACES
    assert [why for _, why in done.left] == [Unassociated.PERSON_IS_FULL] * 2


async def test_people_are_their_collections(
    store: FaceStore, gallery: Collection, mine: list[Face]
) -> None:
    tenant = gallery.tenant
    await store.create_collection(collection(tenant, "other"))
    for name in ("people", "other"):
        await store.create_person(tenant, name, ADA)
    await store.associate_faces(tenant, "people", "ada", of(mine[0]))
    left = (await store.associate_faces(tenant, "other", "ada", of(mine[0]))).left
    assert left == ((mine[0].id, Unassociated.FACE_NOT_FOUND),)
    assert not await store.search_people(tenant, "other", mine[0].template, limit=5)
    await store.delete_collection(tenant, "people")
    await store.create_collection(gallery)
    assert (await store.list_people(tenant, "people", page_size=5)).items == ()
    assert (await store.get_person(tenant, "other", "ada")) == ADA


async def test_many_change_people_at_once(
    store: FaceStore, gallery: Collection, mine: list[Face]
) -> None:
    tenant = gallery.tenant
    for person in (ADA, BOB):
        await store.create_person(tenant, "people", person)
    done = await asyncio.gather(
        *(
            store.associate_faces(tenant, "people", person, of(one))
            for one in mine[:3]
            for person in ("ada", "bob")
        )
    )
    people = [await store.get_person(tenant, "people", name) for name in ("ada", "bob")]
    assert sorted(people[0].faces + people[1].faces) == of(*mine[:3])
    assert len([one for one in done if one.left]) == 3
    for person in people:
        if person.faces:
            own = [one.template for one in mine if one.id in person.faces]
            probe = face(unit(np.sum(own, axis=0)))
            assert (await found(store, gallery, probe))[person.id] == pytest.approx(1, abs=1e-6)


async def test_people_stay_when_opened_again(store_place: Place) -> None:
    made = collection(f"tenant-{uuid.uuid4()}")
    some = [face(one) for one in templates(2)]
    async with store_place.opened() as store:
        await store.create_collection(made)
        await store.add_faces(made.tenant, "people", some)
        await store.create_person(made.tenant, "people", ADA)
        done = await store.associate_faces(made.tenant, "people", "ada", of(*some))
    async with store_place.opened() as store:
        assert await store.get_person(made.tenant, "people", "ada") == done.person
        assert await store.repair() == 0
        (match,) = await store.search_people(made.tenant, "people", some[0].template, limit=1)
        assert match.person == done.person
