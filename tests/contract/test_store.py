"""What every FaceStore must do."""

import asyncio
import dataclasses
import math
import uuid

import numpy as np
import pytest

from beholden.core.errors import AlreadyExists, InvalidArgument, NotFound, Unavailable
from beholden.core.gallery import Collection, Face
from beholden.core.ports import FaceStore
from tests.contract.stores import DIMENSION, Place, collection, face, faces, templates, unit

NOWHERE = "00000000-0000-4000-8000-000000000000"
PROBE = templates(1, seed=99)[0]


@pytest.fixture
def tenant() -> str:
    """A new one, for a server is shared."""
    return f"tenant-{uuid.uuid4()}"


@pytest.fixture
async def people(store: FaceStore, tenant: str) -> Collection:
    made = collection(tenant)
    await store.create_collection(made)
    return made


async def all_collections(store: FaceStore, tenant: str, page_size: int) -> list[Collection]:
    found: list[Collection] = []
    token = ""
    while True:
        page = await store.list_collections(tenant, page_size=page_size, page_token=token)
        assert len(page.items) <= page_size
        found += page.items
        token = page.next_token
        if not token:
            return found


async def all_faces(store: FaceStore, tenant: str, page_size: int) -> list[Face]:
    found: list[Face] = []
    token = ""
    while True:
        page = await store.list_faces(tenant, "people", page_size=page_size, page_token=token)
        assert len(page.items) <= page_size
        found += page.items
        token = page.next_token
        if not token:
            return found


def same(a: Face, b: Face) -> bool:
    return a == b and a.template.dtype == np.float32 and np.array_equal(a.template, b.template)


async def test_collections_are_kept_as_made(store: FaceStore, tenant: str) -> None:
    made = collection(
        tenant, model="m@2", display_name='Пример "quoted" \\ 😀', created_ns=2**62 + 1
    )
    await store.create_collection(made)
    assert await store.get_collection(tenant, "people") == made
    assert await store.count_faces(tenant, "people") == 0
    for other in (made, collection(tenant, model="other@1"), collection(tenant, dimension=8)):
        with pytest.raises(AlreadyExists, match="people"):
            await store.create_collection(other)
    assert await store.get_collection(tenant, "people") == made


async def test_collections_are_listed_by_id_in_pages(store: FaceStore, tenant: str) -> None:
    names = ["a", "a-b", "a.b", "aB", "aa", "ab", "B", "é", "z" * 255, "😀", "a'b", '"', "\\", "0"]
    for name in names:
        await store.create_collection(collection(tenant, name))
    in_order = [collection(tenant, name) for name in sorted(names)]
    for page_size in (1, 5, 14, 100):
        assert await all_collections(store, tenant, page_size) == in_order
    assert await all_collections(store, f"{tenant}-other", 10) == []


async def test_every_call_on_no_collection_says_so(store: FaceStore, tenant: str) -> None:
    await store.create_collection(collection(tenant, "theirs"))
    for who, name in ((tenant, "people"), (f"{tenant}x", "theirs"), (tenant, "theirs2")):
        for call in (
            store.get_collection(who, name),
            store.delete_collection(who, name),
            store.count_faces(who, name),
            store.add_faces(who, name, faces(1)),
            store.add_faces(who, name, []),
            store.get_faces(who, name, [NOWHERE]),
            store.list_faces(who, name, page_size=1),
            store.delete_faces(who, name, [NOWHERE]),
            store.search(who, name, PROBE, limit=1),
        ):
            with pytest.raises(NotFound, match=name):
                await call


@pytest.mark.parametrize(
    "changes",
    [{"id": ""}, {"id": "x" * 256}, {"id": "\ud800"}, {"dimension": 0}, {"dimension": 10**6}],
)
async def test_a_collection_that_cannot_be(
    store: FaceStore, tenant: str, changes: dict[str, object]
) -> None:
    with pytest.raises(InvalidArgument):
        await store.create_collection(dataclasses.replace(collection(tenant), **changes))
    assert await all_collections(store, tenant, 10) == []


async def test_a_deleted_collection_is_gone_with_its_faces(
    store: FaceStore, people: Collection
) -> None:
    mine = faces(7)
    await store.add_faces(people.tenant, "people", mine)
    assert await store.delete_collection(people.tenant, "people") == 7
    with pytest.raises(NotFound):
        await store.search(people.tenant, "people", PROBE, limit=5)
    assert await all_collections(store, people.tenant, 10) == []

    await store.create_collection(dataclasses.replace(people, model="new@1"))
    assert (await store.get_collection(people.tenant, "people")).model == "new@1"
    assert await store.count_faces(people.tenant, "people") == 0
    assert await store.search(people.tenant, "people", mine[0].template, limit=5) == ()
    assert await store.get_faces(people.tenant, "people", [mine[0].id]) == ()


async def test_faces_are_kept_as_given(store: FaceStore, people: Collection) -> None:
    plain = face(PROBE)
    odd = face(
        templates(1)[0],
        external_image_id="\"; drop collection --' \\ \0 \n 😀 \u2028",
        enrolled_by='" or 1 == 1 or scope == "',
        confidence=5e-324,
        enrolled_ns=2**63 - 1,
    )
    await store.add_faces(people.tenant, "people", [plain, odd])
    found = await store.get_faces(people.tenant, "people", [odd.id, plain.id])
    assert same(found[0], odd)
    assert same(found[1], plain)


async def test_faces_are_given_in_the_order_asked(store: FaceStore, people: Collection) -> None:
    a, b, c = faces(3)
    await store.add_faces(people.tenant, "people", [a, b, c])
    asked = [c.id, NOWHERE, a.id, c.id, "not-an-id", a.id.upper(), '" or id > "', ""]
    found = await store.get_faces(people.tenant, "people", asked)
    assert [one.id for one in found] == [c.id, a.id]
    assert await store.get_faces(people.tenant, "people", []) == ()


async def test_a_face_replaces_the_one_with_its_id(store: FaceStore, people: Collection) -> None:
    old, other = faces(2)
    await store.add_faces(people.tenant, "people", [old, other])
    between = face(templates(1, 4)[0], old.id)
    new = face(templates(1, 5)[0], old.id, external_image_id="new")
    await store.add_faces(people.tenant, "people", [between, new])
    assert await store.count_faces(people.tenant, "people") == 2
    (found,) = await store.get_faces(people.tenant, "people", [old.id])
    assert same(found, new)
    best = (await store.search(people.tenant, "people", new.template, limit=2))[0]
    assert best.face == new
    assert best.cosine == pytest.approx(1, abs=1e-6)


async def test_faces_are_listed_by_id_in_pages(store: FaceStore, people: Collection) -> None:
    mine = faces(23)
    await store.add_faces(people.tenant, "people", mine[::-1])
    for page_size in (1, 7, 23, 500):
        listed = await all_faces(store, people.tenant, page_size)
        assert [one.id for one in listed] == [one.id for one in mine]
    assert same(listed[5], mine[5])


async def test_page_tokens_are_checked(store: FaceStore, people: Collection) -> None:
    await store.create_collection(collection(people.tenant, "other"))
    await store.add_faces(people.tenant, "people", faces(3))
    listed = await store.list_faces(people.tenant, "people", page_size=1)
    collections = await store.list_collections(people.tenant, page_size=1)
    for bad in ("x", "😀", "\0", listed.next_token[:-1], "A" * 4096, collections.next_token):
        with pytest.raises(InvalidArgument, match="page_token"):
            await store.list_faces(people.tenant, "people", page_size=1, page_token=bad)
    with pytest.raises(InvalidArgument, match="page_token"):
        await store.list_faces(people.tenant, "other", page_size=1, page_token=listed.next_token)
    with pytest.raises(InvalidArgument, match="page_token"):
        await store.list_collections("x", page_size=1, page_token=collections.next_token)
    for size in (0, -1):
        with pytest.raises(InvalidArgument, match="page_size"):
            await store.list_faces(people.tenant, "people", page_size=size)
        with pytest.raises(InvalidArgument, match="page_size"):
            await store.list_collections(people.tenant, page_size=size)


async def test_deleted_faces_are_gone_at_once(store: FaceStore, people: Collection) -> None:
    mine = faces(6)
    await store.add_faces(people.tenant, "people", mine)
    for gone, rest in ((mine[:2], mine[2:]), (mine[2:3], mine[3:])):
        asked = [*(one.id for one in gone), NOWHERE, gone[0].id, "' or 1 == 1"]
        assert await store.delete_faces(people.tenant, "people", asked) == tuple(
            one.id for one in gone
        )
        matches = await store.search(people.tenant, "people", gone[0].template, limit=10)
        assert {match.face.id for match in matches} == {one.id for one in rest}
        assert await store.count_faces(people.tenant, "people") == len(rest)
        assert await store.delete_faces(people.tenant, "people", asked) == ()


UNFIT = {
    "short": unit(np.ones(DIMENSION - 1)),
    "long": unit(np.ones(DIMENSION + 1)),
    "matrix": unit(np.ones(DIMENSION)).reshape(4, 4),
    "nan": np.full(DIMENSION, np.nan, np.float32),
    "one nan": np.array([np.nan, 1, *[0] * (DIMENSION - 2)], np.float32),
    "infinite": np.array([np.inf, *[0] * (DIMENSION - 1)], np.float32),
    "zero": np.zeros(DIMENSION, np.float32),
    "too long a vector": unit(np.ones(DIMENSION)) * np.float32(1.01),
    "text": np.array(["x"] * DIMENSION),
    "complex": np.full(DIMENSION, 0.25 + 0j),
}


@pytest.mark.parametrize("name", UNFIT)
async def test_an_unfit_template_changes_nothing(
    store: FaceStore, people: Collection, name: str
) -> None:
    good, bad = face(PROBE), face(UNFIT[name])
    with pytest.raises(InvalidArgument) as caught:
        await store.add_faces(people.tenant, "people", [good, bad])
    assert caught.value.field == "faces"
    with pytest.raises(InvalidArgument) as caught:
        await store.search(people.tenant, "people", bad.template, limit=1)
    assert caught.value.field == "template"
    assert await store.count_faces(people.tenant, "people") == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "x"},
        {"id": NOWHERE.upper().replace("8", "A")},
        {"id": '" or 1 == 1 or id == "'},
        {"confidence": math.nan},
        {"enrolled_by": "\ud800"},
        {"enrolled_ns": 2**63},
        {"external_image_id": "x" * 70_000},
        {"media_sha256": b"x"},
    ],
)
async def test_an_unfit_face_changes_nothing(
    store: FaceStore, people: Collection, changes: dict[str, object]
) -> None:
    with pytest.raises(InvalidArgument, match="faces"):
        await store.add_faces(people.tenant, "people", [face(PROBE), face(PROBE, **changes)])
    assert await store.count_faces(people.tenant, "people") == 0


async def test_search_finds_the_nearest_of_its_own_collection(
    store: FaceStore, people: Collection
) -> None:
    """A small collection among larger ones, of this tenant and of another."""
    crowd = faces(400, seed=1)
    await store.create_collection(collection(people.tenant, "crowd"))
    await store.add_faces(people.tenant, "crowd", crowd)
    await store.create_collection(collection(f"{people.tenant}2", "people"))
    await store.add_faces(f"{people.tenant}2", "people", faces(400, seed=2))
    mine = faces(40, seed=3)
    await store.add_faces(people.tenant, "people", mine)
    for name, gallery in (("people", mine), ("crowd", crowd)):
        matrix = np.stack([one.template for one in gallery]).astype(np.float64)
        for probe in templates(10, seed=4):
            cosines = matrix @ probe
            best = np.argsort(-cosines)[:5]
            matches = await store.search(people.tenant, name, probe, limit=5)
            assert [match.face.id for match in matches] == [gallery[i].id for i in best]
            np.testing.assert_allclose(
                [match.cosine for match in matches], cosines[best], atol=1e-6
            )
            assert matches[0].face == gallery[best[0]]
            assert not matches[0].face.template.size


async def test_search_honours_its_bounds(store: FaceStore, people: Collection) -> None:
    mine = faces(20)
    await store.add_faces(people.tenant, "people", mine)
    every = await store.search(people.tenant, "people", PROBE, limit=100)
    assert len(every) == 20
    assert [match.cosine for match in every] == sorted((m.cosine for m in every), reverse=True)
    assert await store.search(people.tenant, "people", PROBE, limit=3) == every[:3]
    near = await store.search(people.tenant, "people", PROBE, limit=100, min_cosine=every[4].cosine)
    assert near == every[:5]
    itself = mine[0].template
    assert len(await store.search(people.tenant, "people", itself, limit=9, min_cosine=0.9999)) == 1
    for wrong in ({"limit": 0}, {"limit": -1}, {"limit": 10**9}):
        with pytest.raises(InvalidArgument, match="limit"):
            await store.search(people.tenant, "people", PROBE, **wrong)
    for cosine in (math.nan, math.inf, 1.1, -1.1):
        with pytest.raises(InvalidArgument, match="min_cosine"):
            await store.search(people.tenant, "people", PROBE, limit=1, min_cosine=cosine)


async def test_equally_near_faces_come_by_id(store: FaceStore, people: Collection) -> None:
    twins = sorted(str(uuid.uuid4()) for _ in range(9))
    await store.add_faces(people.tenant, "people", [face(PROBE, twin) for twin in twins[::2]])
    await store.add_faces(people.tenant, "people", [face(PROBE, twin) for twin in twins[1::2]])
    matches = await store.search(people.tenant, "people", PROBE, limit=20)
    assert [match.face.id for match in matches] == twins
    opposite = await store.search(people.tenant, "people", -PROBE, limit=20)
    np.testing.assert_allclose([match.cosine for match in opposite], -1, atol=1e-6)


async def test_what_is_written_is_read_at_once(store: FaceStore, people: Collection) -> None:
    for seed in range(5):
        (new,) = faces(1, seed=seed + 50)
        await store.add_faces(people.tenant, "people", [new])
        (match,) = await store.search(people.tenant, "people", new.template, limit=1)
        assert match.face.id == new.id
        assert await store.count_faces(people.tenant, "people") == 1
        assert await store.delete_faces(people.tenant, "people", [new.id]) == (new.id,)
        assert await store.search(people.tenant, "people", new.template, limit=1) == ()


HOSTILE = [
    "x' or '1'=='1",
    'x" or 1 == 1 or scope == "',
    "x\\",
    '\\"',
    "%",
    "_",
    "a/b",
    "..",
    "new\nline",
    "nul\0",
    "$meta",
    "😀",
]


async def test_no_name_is_an_expression(store: FaceStore, tenant: str) -> None:
    mine, theirs = faces(2)
    await store.create_collection(collection(tenant))
    await store.add_faces(tenant, "people", [theirs])

    async def live(name: str) -> None:
        hostile = tenant + name
        with pytest.raises(NotFound):
            await store.search(hostile, "people", theirs.template, limit=5)
        assert await all_collections(store, hostile, 10) == []
        await store.create_collection(collection(hostile, name))
        await store.add_faces(hostile, name, [mine])
        matches = await store.search(hostile, name, theirs.template, limit=5)
        assert [match.face.id for match in matches] == [mine.id]
        assert await store.delete_faces(hostile, name, [theirs.id]) == ()
        assert await store.delete_collection(hostile, name) == 1

    await asyncio.gather(*map(live, HOSTILE))
    assert await store.count_faces(tenant, "people") == 1


async def test_many_at_once(store: FaceStore, people: Collection) -> None:
    """Writers, deleters and searchers in each other's way; nothing acknowledged is missed."""
    kept = {one.id: one for one in faces(120)}
    gone = faces(30, seed=7)

    async def add(some: list[Face]) -> None:
        await store.add_faces(people.tenant, "people", some)
        for one in some:
            (match,) = await store.search(people.tenant, "people", one.template, limit=1)
            assert match.face.id == one.id

    async def add_and_delete(some: list[Face]) -> None:
        ids = [one.id for one in some]
        await store.add_faces(people.tenant, "people", some)
        assert await store.delete_faces(people.tenant, "people", ids) == tuple(ids)
        assert await store.get_faces(people.tenant, "people", ids) == ()

    all_kept = list(kept.values())
    await asyncio.gather(
        *(add(all_kept[i : i + 10]) for i in range(0, 120, 10)),
        *(add_and_delete(gone[i : i + 5]) for i in range(0, 30, 5)),
    )
    assert await store.count_faces(people.tenant, "people") == 120
    assert [one.id for one in await all_faces(store, people.tenant, 50)] == sorted(kept)


async def test_one_of_many_creations_wins(store: FaceStore, tenant: str) -> None:
    results = await asyncio.gather(
        *(store.create_collection(collection(tenant, model=f"m@{i}")) for i in range(6)),
        return_exceptions=True,
    )
    assert sorted(str(type(result).__name__) for result in results) == [
        *["AlreadyExists"] * 5,
        "NoneType",
    ]
    winner = results.index(None)
    assert (await store.get_collection(tenant, "people")).model == f"m@{winner}"


async def test_stays_when_opened_again(store_place: Place, tenant: str) -> None:
    mine = faces(12)
    async with store_place.opened() as store:
        await store.create_collection(collection(tenant))
        await store.add_faces(tenant, "people", mine)
        await store.delete_faces(tenant, "people", [mine.pop().id])
    async with store_place.opened() as store:
        assert await store.ready()
        assert await store.get_collection(tenant, "people") == collection(tenant)
        assert await store.count_faces(tenant, "people") == 11
        assert [one.id for one in await all_faces(store, tenant, 5)] == [one.id for one in mine]
        (match,) = await store.search(tenant, "people", mine[3].template, limit=1)
        assert match.face == mine[3]


async def test_other_dimensions_live_beside(store: FaceStore, tenant: str) -> None:
    await store.create_collection(collection(tenant, "small", dimension=4))
    await store.create_collection(collection(tenant, "usual"))
    small, usual = face(templates(1, dimension=4)[0]), face(PROBE)
    await store.add_faces(tenant, "small", [small])
    await store.add_faces(tenant, "usual", [usual])
    assert (await store.search(tenant, "small", small.template, limit=3))[0].face == small
    assert (await store.search(tenant, "usual", usual.template, limit=3))[0].face == usual
    with pytest.raises(InvalidArgument, match="4 numbers"):
        await store.search(tenant, "small", PROBE, limit=1)


async def test_too_many_at_once_are_refused(store_place: Place, tenant: str) -> None:
    async with store_place.opened(max_faces=3, max_results=3, max_page=3) as store:
        await store.create_collection(collection(tenant))
        with pytest.raises(InvalidArgument, match="at most 3"):
            await store.add_faces(tenant, "people", faces(4))
        for call in (store.get_faces, store.delete_faces):
            with pytest.raises(InvalidArgument, match="at most 3"):
                await call(tenant, "people", [NOWHERE] * 4)
        with pytest.raises(InvalidArgument, match="1 to 3"):
            await store.search(tenant, "people", PROBE, limit=4)
        await store.add_faces(tenant, "people", faces(3))
        await store.add_faces(tenant, "people", faces(3))
        page = await store.list_faces(tenant, "people", page_size=100)
        assert len(page.items) == 3
        assert page.next_token


async def test_closed_is_unavailable(store_place: Place, tenant: str) -> None:
    async with store_place.opened() as store:
        await store.create_collection(collection(tenant))
        await store.close()
        assert not await store.ready()
        for call in (
            store.create_collection(collection(tenant)),
            store.get_collection(tenant, "people"),
            store.list_collections(tenant, page_size=1),
            store.delete_collection(tenant, "people"),
            store.count_faces(tenant, "people"),
            store.add_faces(tenant, "people", faces(1)),
            store.get_faces(tenant, "people", []),
            store.list_faces(tenant, "people", page_size=1),
            store.delete_faces(tenant, "people", []),
            store.search(tenant, "people", PROBE, limit=1),
        ):
            with pytest.raises(Unavailable):
                await call
