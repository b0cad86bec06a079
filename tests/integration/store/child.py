"""A process of its own that keeps faces in Milvus Lite and prints the ids it had acknowledged."""

import asyncio
import os
import random
import resource
import signal
import sys
import uuid
from pathlib import Path

from beholden.core.errors import Unavailable
from beholden.core.gallery import Face, Person
from beholden.store.open import open_store
from beholden.store.settings import StoreSettings
from tests.contract.children import files_may_grow_to
from tests.contract.stores import collection, faces, lite

TENANT = "news"


def some(count: int) -> list[Face]:
    """Other ones each time."""
    return faces(count, seed=random.getrandbits(64))


async def add_for_ever(folder: Path) -> None:
    """Four adders of three faces at a time, and one deletion for two additions; ends by being killed."""
    async with lite(folder).opened(lite_flush_rows=50) as store:
        name = f"c{uuid.uuid4()}"
        await store.create_collection(collection(TENANT, name))
        print("collection", name, flush=True)

        async def adder() -> None:
            while True:
                kept, gone = some(3), some(3)
                await store.add_faces(TENANT, name, kept)
                print("kept", *(face.id for face in kept), flush=True)
                await store.add_faces(TENANT, name, gone)
                ids = [face.id for face in gone]
                print("going", *ids, flush=True)
                await store.delete_faces(TENANT, name, ids)
                print("gone", *ids, flush=True)

        await asyncio.gather(*(adder() for _ in range(4)))


async def change_people_for_ever(folder: Path) -> None:
    """Three people get faces, and lose others again; ends by being killed."""
    async with lite(folder).opened() as store:
        await store.create_collection(collection(TENANT))

        async def changer(person: str) -> None:
            await store.create_person(TENANT, "people", Person(person, 1))
            while True:
                kept, lost = some(2), some(2)
                await store.add_faces(TENANT, "people", [*kept, *lost])
                ids = [face.id for face in kept + lost]
                await store.associate_faces(TENANT, "people", person, ids)
                await store.disassociate_faces(TENANT, "people", person, ids[2:3])
                await store.delete_faces(TENANT, "people", ids[3:])
                print("theirs", person, *ids[:2], flush=True)

        await asyncio.gather(*map(changer, ("ada", "bob", "eve")))


async def run_out_of_space(folder: Path) -> None:
    """Adds until no file may grow, then with space again, and is killed."""
    store = await open_store(lite(folder).url, StoreSettings())
    await store.create_collection(collection(TENANT, "people"))
    print("collection people", flush=True)

    async def add(many: int) -> None:
        made = some(many)
        await store.add_faces(TENANT, "people", made)
        print("kept", *(face.id for face in made), flush=True)

    await add(5)
    files_may_grow_to(96 << 10)
    refused = 0
    while refused < 3:
        try:
            await add(10)
        except Unavailable:
            refused += 1
    print("refused", flush=True)
    files_may_grow_to(resource.RLIM_INFINITY)
    for _ in range(3):
        await add(2)
    print("ready", await store.ready(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


async def forget_to_close(folder: Path) -> None:
    """Ends like a program whose author did not read the manual."""
    store = await open_store(lite(folder).url, StoreSettings())
    await store.create_collection(collection(TENANT, "people"))
    made = some(4)
    await store.add_faces(TENANT, "people", made)
    print("collection people", flush=True)
    print("kept", *(face.id for face in made), flush=True)


if __name__ == "__main__":
    acts = (add_for_ever, change_people_for_ever, run_out_of_space, forget_to_close)
    act = {act.__name__: act for act in acts}[sys.argv[1]]
    asyncio.run(act(Path(sys.argv[2])))
