"""The server's side of the adapter: over Milvus where there is one, and over Lite as a server."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from beholden.core.errors import AlreadyExists, NotFound, Unavailable
from beholden.core.gallery import Person
from tests.contract.stores import Place, collection, faces, templates

TENANT = "news"


@contextmanager
def lite_server(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], Place]]:
    """Milvus Lite as a process of its own: enough of a server to be lost."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "milvus_lite", "server", "--data-dir", str(folder / "served")),
            *("--host", "127.0.0.1", "--port", str(port)),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield process, Place(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


async def test_a_lost_server_is_unavailable(tmp_path: Path) -> None:
    with lite_server(tmp_path) as (process, place):
        async with place.opened(timeout=1) as store:
            await store.create_collection(collection(TENANT))
            mine = faces(5)
            await store.add_faces(TENANT, "people", mine)
            assert await store.ready()
            process.kill()
            process.wait()
            assert not await store.ready()
            for call in (
                store.search(TENANT, "people", mine[0].template, limit=1),
                store.add_faces(TENANT, "people", mine),
                store.count_faces(TENANT, "people"),
            ):
                with pytest.raises(Unavailable):
                    await call
    with lite_server(tmp_path) as (_, place):
        async with place.opened() as store:
            assert await store.count_faces(TENANT, "people") == 5


async def test_two_processes_see_each_others_writes(milvus_place: Place) -> None:
    """Each write is seen by the other's next call, though reads do not wait."""
    tenant = f"two-{time.time_ns()}"
    async with milvus_place.opened() as a, milvus_place.opened() as b:
        await a.create_collection(collection(tenant))
        with pytest.raises(AlreadyExists):
            await b.create_collection(collection(tenant, model="other@1"))
        for round_ in range(6):
            writer, reader = (a, b) if round_ % 2 else (b, a)
            (new,) = faces(1, seed=round_)
            await writer.add_faces(tenant, "people", [new])
            (match,) = await reader.search(tenant, "people", new.template, limit=1)
            assert match.face.id == new.id
            await writer.delete_faces(tenant, "people", [new.id])
            assert await reader.search(tenant, "people", new.template, limit=1) == ()
            assert await reader.count_faces(tenant, "people") == 0


async def test_a_collection_deleted_elsewhere_takes_no_more_faces(milvus_place: Place) -> None:
    """Though this process still remembers it: its namesake must not lose what was acknowledged."""
    tenant = f"gone-{time.time_ns()}"
    async with milvus_place.opened(catalog_seconds=3600) as a, milvus_place.opened() as b:
        await a.create_collection(collection(tenant))
        await a.add_faces(tenant, "people", faces(2))
        assert await b.delete_collection(tenant, "people") == 2
        assert await a.search(tenant, "people", templates(1)[0], limit=5) == ()
        await b.create_collection(collection(tenant))
        with pytest.raises(NotFound):
            await a.add_faces(tenant, "people", faces(3))
        await a.add_faces(tenant, "people", faces(4))
        assert await b.count_faces(tenant, "people") == 4


async def test_people_changed_in_two_processes(milvus_place: Place) -> None:
    """Each sees what the other did, and a face that both want is one person's or nobody's."""
    tenant = f"people-{time.time_ns()}"
    async with milvus_place.opened() as a, milvus_place.opened() as b:
        await a.create_collection(collection(tenant))
        mine = faces(3)
        ids = [one.id for one in mine]
        await a.add_faces(tenant, "people", mine)
        await asyncio.gather(
            a.create_person(tenant, "people", Person("ada", 1)),
            b.create_person(tenant, "people", Person("bob", 1)),
        )
        await a.associate_faces(tenant, "people", "ada", ids[:1])
        (match,) = await b.search_people(tenant, "people", mine[0].template, limit=1)
        assert match.person.faces == (ids[0],)
        done = await asyncio.gather(
            a.associate_faces(tenant, "people", "ada", ids[1:2]),
            b.associate_faces(tenant, "people", "bob", ids[1:]),
        )
        both = [await a.get_person(tenant, "people", name) for name in ("ada", "bob")]
        assert sum(ids[1] in person.faces for person in both) == sum(
            ids[1] not in {face for face, _ in one.left} for one in done
        )
        assert sum(ids[1] in person.faces for person in both) <= 1
        assert ids[2] in both[1].faces
