"""Copies collections with their faces and people from one store to another, or within one; resumable."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial

import numpy as np

from beholden.core.errors import AlreadyExists, FailedPrecondition
from beholden.core.gallery import Collection, Face, Person
from beholden.core.ports import FaceStore
from beholden.search.streams import mapped

_PAGE = 1000
_AHEAD = 3

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Moved:
    """What is in the copy: `faces` and `people`, of which `there` faces were there before."""

    faces: int
    people: int
    there: int


async def copy(
    source: FaceStore,
    target: FaceStore,
    origin: Collection,
    made: Collection,
    progress: Progress = lambda count: None,
) -> Moved:
    """Makes `made` in `target` as `origin` is in `source`: same faces, same ids, same people.

    What an attempt before has copied is not written again. `progress` hears of each batch of faces.
    Raises FailedPrecondition where `made` is there with another model, or with faces that `origin` has
    not: then it is no copy, and nothing says which of them is right.
    """
    known = await ensured(target, made)
    work = partial(_written, target, made, known)
    faces = there = 0
    async with aclosing(mapped(pages(source, origin), work, _AHEAD)) as done:
        async for count, skipped in done:
            faces, there = faces + count, there + skipped
            progress(count)
    people = 0
    async for person in everybody(source, origin):
        await restore_person(target, made, person)
        people += 1
    await verify_count(target, made, faces)
    return Moved(faces, people, there)


async def verify_count(target: FaceStore, made: Collection, faces: int) -> None:
    """Raises FailedPrecondition where `made` does not hold just as many."""
    found = await target.count_faces(made.tenant, made.id)
    if found != faces:
        raise FailedPrecondition(
            f"collections/{made.id} of {made.tenant} holds {found} faces, not {faces}",
            remedy="see that nobody writes to either meanwhile, and run it again",
        )


async def restore_person(target: FaceStore, made: Collection, person: Person) -> None:
    """The person with their faces, whatever of them is there already."""
    bare = Person(person.id, person.created_ns, person.display_name)
    with suppress(AlreadyExists):
        await target.create_person(made.tenant, made.id, bare)
    if person.faces:
        await target.associate_faces(made.tenant, made.id, person.id, person.faces)


async def pages(store: FaceStore, origin: Collection) -> AsyncGenerator[Sequence[Face]]:
    """All faces of a collection by id, templates included, some at a time."""
    token = ""
    while True:
        page = await store.list_faces(origin.tenant, origin.id, page_size=_PAGE, page_token=token)
        if page.items:
            yield page.items
        if not (token := page.next_token):
            return


async def everybody(store: FaceStore, origin: Collection) -> AsyncGenerator[Person]:
    """All people of a collection, by id."""
    token = ""
    while True:
        page = await store.list_people(origin.tenant, origin.id, page_size=_PAGE, page_token=token)
        for person in page.items:
            yield person
        if not (token := page.next_token):
            return


async def every_collection(store: FaceStore) -> AsyncGenerator[Collection]:
    """All collections of all tenants."""
    token = ""
    while True:
        page = await store.every_collection(page_size=_PAGE, page_token=token)
        for collection in page.items:
            yield collection
        if not (token := page.next_token):
            return


async def ensured(target: FaceStore, made: Collection) -> bool:
    """Makes the collection where it is not; whether there are faces in it already.

    Raises FailedPrecondition where it is there with another model.
    """
    try:
        await target.create_collection(made)
    except AlreadyExists:
        there = await target.get_collection(made.tenant, made.id)
        if (there.model, there.dimension) != (made.model, made.dimension):
            raise FailedPrecondition(
                f"collections/{made.id} of {made.tenant} is there with {there.model}, not {made.model}",
                remedy="delete it, or copy to another name",
                reason="MODEL_MISMATCH",
            ) from None
        return await target.count_faces(made.tenant, made.id) > 0
    return False


async def _written(
    target: FaceStore, made: Collection, known: bool, faces: Sequence[Face]
) -> tuple[int, int]:
    """How many faces those were, and how many of them were there already, just so."""
    missing = faces
    if known:
        ids = [face.id for face in faces]
        there = {face.id: face for face in await target.get_faces(made.tenant, made.id, ids)}
        missing = [face for face in faces if not _same(face, there.get(face.id))]
    if missing:
        await target.add_faces(made.tenant, made.id, missing)
    return len(faces), len(faces) - len(missing)


def _same(face: Face, other: Face | None) -> bool:
    return other == face and other is not None and np.array_equal(other.template, face.template)
