"""What every FaceStore must do with what is known of a face's past: lists by it, and lets go in time."""

import time
import uuid
from dataclasses import replace

import pytest

from beholden.core.gallery import Collection, Face, FaceFilter, Person, Provenance, Span
from beholden.core.ports import FaceStore
from tests.contract.stores import collection, face, templates

HOUR_NS = 3600 * 10**9
CENTURY_NS = 100 * 365 * 24 * HOUR_NS


@pytest.fixture
async def gallery(store: FaceStore) -> Collection:
    made = collection(f"tenant-{uuid.uuid4()}")
    await store.create_collection(made)
    return made


def past(seed: int, *, external: str = "", by: str = "alice", at: int = 100, **of: object) -> Face:
    return face(
        templates(1, seed)[0],
        f"00000000-0000-4000-8000-{seed:012d}",
        external_image_id=external,
        enrolled_by=by,
        enrolled_ns=at,
        media_sha256=f"{seed:064x}",
        provenance=Provenance(**of),  # type: ignore[arg-type]
    )


FACES = [
    past(1, external="ada", source="passports", legal_basis='law "7"', capture_ns=-50),
    past(2, external="ada", source="\U0001f600", consent_id="c-1", capture_ns=20, at=200),
    past(3, external="bob", source="passports", consent_id="c-1", by="bob", at=300),
    past(4, external="ADA", legal_basis="' or 1 == 1", capture_ns=30, at=400, expire_ns=CENTURY_NS),
]

WANTED = [
    (FaceFilter(), [1, 2, 3, 4]),
    (FaceFilter(external_image_id="ada"), [1, 2]),
    (FaceFilter(media_sha256=f"{3:064x}"), [3]),
    (FaceFilter(source="passports"), [1, 3]),
    (FaceFilter(source="\U0001f600"), [2]),
    (FaceFilter(legal_basis='law "7"'), [1]),
    (FaceFilter(legal_basis="' or 1 == 1"), [4]),
    (FaceFilter(consent_id="c-1"), [2, 3]),
    (FaceFilter(consent_id="c-1", enrolled_by="bob"), [3]),
    (FaceFilter(enrolled_by="nobody"), []),
    (FaceFilter(person="nobody"), []),
    (FaceFilter(captured=Span(end_ns=25)), [1, 2]),
    (FaceFilter(captured=Span(start_ns=20)), [2, 4]),
    (FaceFilter(captured=Span(20, 30)), [2]),
    (FaceFilter(enrolled=Span(200, 400)), [2, 3]),
    (FaceFilter(expires=Span(start_ns=1)), [4]),
    (FaceFilter(expires=Span(end_ns=CENTURY_NS)), []),
    (FaceFilter(expires=Span(CENTURY_NS, CENTURY_NS + 1)), [4]),
]


async def test_faces_are_listed_by_their_past(store: FaceStore, gallery: Collection) -> None:
    await store.add_faces(gallery.tenant, "people", FACES)
    for wanted, seeds in WANTED:
        listed: list[str] = []
        token = ""
        while True:
            page = await store.list_faces(
                gallery.tenant, "people", page_size=1, page_token=token, wanted=wanted
            )
            listed += [one.id for one in page.items]
            if not (token := page.next_token):
                break
        assert listed == [FACES[seed - 1].id for seed in seeds], wanted


async def test_an_expired_face_is_in_no_answer(store: FaceStore, gallery: Collection) -> None:
    tenant, now = gallery.tenant, time.time_ns()
    gone, kept = past(5, expire_ns=now - 1), past(6, expire_ns=now + HOUR_NS)
    await store.add_faces(tenant, "people", [gone, kept])
    await store.create_person(tenant, "people", Person("ada", 1))
    done = await store.associate_faces(tenant, "people", "ada", [gone.id, kept.id])
    assert [one for one, _ in done.left] == [gone.id]
    assert (await store.list_faces(tenant, "people", page_size=9)).items == (kept,)
    assert await store.get_faces(tenant, "people", [gone.id, kept.id]) == (kept,)
    matches = await store.search(tenant, "people", gone.template, limit=9)
    assert [match.face.id for match in matches] == [kept.id]
    (match,) = await store.search(tenant, "people", gone.template, limit=1)
    assert match.face.id == kept.id, "who has expired takes nobody's place"


async def test_a_person_is_not_found_by_an_expired_face(
    store: FaceStore, gallery: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant, now = gallery.tenant, time.time_ns()
    one, other = past(7, expire_ns=now + HOUR_NS), past(8)
    await store.add_faces(tenant, "people", [one, other])
    await store.create_person(tenant, "people", Person("ada", 1))
    await store.associate_faces(tenant, "people", "ada", [one.id, other.id])
    assert await store.search_people(tenant, "people", one.template, limit=1)
    with monkeypatch.context() as later:
        later.setattr(time, "time_ns", lambda: now + HOUR_NS)
        assert not await store.search_people(tenant, "people", one.template, limit=1)
        assert await store.delete_faces(tenant, "people", [one.id]) == (one.id,)
        (match,) = await store.search_people(tenant, "people", one.template, limit=1)
        assert match.person.faces == (other.id,)


async def test_what_is_due_is_told_of_every_tenant(store: FaceStore, gallery: Collection) -> None:
    now = time.time_ns()
    second = replace(gallery, tenant=f"{gallery.tenant}-2")
    await store.create_collection(second)
    consent = f"c-{uuid.uuid4()}"
    expired, revoked, kept = past(9, expire_ns=now - 1), past(10, consent_id=consent), past(11)
    await store.add_faces(gallery.tenant, "people", [expired, kept])
    await store.add_faces(second.tenant, "people", [revoked, kept])
    due = await store.due_faces(before_ns=now, consents=[consent], limit=1000)
    assert {(one.collection.tenant, one.face.id) for one in due} >= {
        (gallery.tenant, expired.id),
        (second.tenant, revoked.id),
    }
    assert kept.id not in {one.face.id for one in due}
    assert len(await store.due_faces(before_ns=now, consents=[consent], limit=1)) == 1
    for one in due:
        await store.delete_faces(one.collection.tenant, one.collection.id, [one.face.id])
    assert await store.due_faces(before_ns=now, consents=[consent], limit=1000) == ()
