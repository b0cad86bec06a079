"""Milvus Lite under the rules of lite.py: each was seen to lose rows, or worse, when broken."""

import asyncio
import logging
import os
import shutil
import sqlite3
import stat
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pymilvus import MilvusClient

from beholden.core.errors import FailedPrecondition, Unavailable
from beholden.core.gallery import Face
from beholden.store.open import open_store
from beholden.store.settings import StoreSettings
from tests.contract.children import child, kill_and_read
from tests.contract.stores import collection, face, faces, lite, templates

TENANT = "news"


@dataclass
class Told:
    """What a child said before it died."""

    collection: str = ""
    kept: list[list[str]] = field(default_factory=list)
    going: set[str] = field(default_factory=set)
    gone: list[str] = field(default_factory=list)

    def hear(self, lines: list[str]) -> None:
        for line in lines:
            word, *rest = line.split()
            match word:
                case "collection":
                    self.collection = rest[0]
                case "kept":
                    self.kept.append(rest)
                case "going":
                    self.going.update(rest)
                case "gone":
                    self.gone += rest


CHILD = "tests.integration.store.child"


async def check(folder: Path, told: Told) -> None:
    """All that was acknowledged is there, searchable; what was deleted is not."""
    async with lite(folder).opened() as store:
        for ids in told.kept:
            found = await store.get_faces(TENANT, told.collection, ids)
            assert [one.id for one in found] == ids
        assert await store.get_faces(TENANT, told.collection, told.gone) == ()
        for one in found:
            best = (await store.search(TENANT, told.collection, one.template, limit=1))[0]
            assert best.face.id == one.id


@pytest.mark.thorough
async def test_kill_9_loses_nothing_acknowledged(tmp_path: Path) -> None:
    for after in (3, 60):
        told = Told()
        with child(CHILD, "add_for_ever", tmp_path) as process:
            assert process.stdout is not None
            told.hear([process.stdout.readline() for _ in range(after)])
            told.hear(kill_and_read(process))
        await check(tmp_path, told)
        async with lite(tmp_path).opened() as store:
            count = await store.count_faces(TENANT, told.collection)
            page = await store.list_faces(TENANT, told.collection, page_size=1000)
            assert len(page.items) == count
            assert count % 3 == 0, "an addition of three is there as a whole or not at all"


@pytest.mark.thorough
async def test_a_full_disk_refuses_and_recovers(tmp_path: Path) -> None:
    """Lite goes on writing behind a record that it wrote in part, and drops it all on recovery."""
    told = Told()
    with child(CHILD, "run_out_of_space", tmp_path) as process:
        out, problem = process.communicate(timeout=120)
    assert "refused\n" in out, problem
    assert "ready True\n" in out, problem
    told.hear(out.splitlines())
    assert len(told.kept) > 4
    await check(tmp_path, told)


async def test_a_flush_that_fails_is_made_good(tmp_path: Path) -> None:
    """Lite forgets the rows that it could not flush, and the next flush removes their log."""
    first, second, third = faces(10, 1), faces(15, 2), faces(15, 3)
    async with lite(tmp_path).opened(lite_flush_rows=20) as store:
        await store.create_collection(collection(TENANT))
        await store.add_faces(TENANT, "people", first)
        partitions = tmp_path / "faces.db/collections/beholden_v2_faces_16/partitions"
        blocks = [partitions / f"_pk_{i}" / "data" for i in range(16)]
        for block in blocks:
            block.parent.mkdir(parents=True, exist_ok=True)
            block.write_text("in the way")
        with pytest.raises(Unavailable):
            await store.add_faces(TENANT, "people", second)
        found = await store.get_faces(TENANT, "people", [one.id for one in first])
        assert len(found) == 10
        for block in blocks:
            block.unlink()
        await store.add_faces(TENANT, "people", third)
    told = Told("people", [[one.id for one in first], [one.id for one in third]])
    await check(tmp_path, told)


@pytest.mark.thorough
async def test_a_program_that_forgets_to_close_ends_and_keeps_all(tmp_path: Path) -> None:
    told = Told()
    with child(CHILD, "forget_to_close", tmp_path) as process:
        out, problem = process.communicate(timeout=60)
        assert process.returncode == 0, problem
    told.hear(out.splitlines())
    await check(tmp_path, told)


@pytest.mark.thorough
async def test_flushes_in_the_middle_of_everything(tmp_path: Path) -> None:
    """Unserialised, up to 200 of 19,400 rows are lost here, and readers miss rows meanwhile."""
    kept: list[Face] = []

    async with lite(tmp_path).opened(lite_flush_rows=5) as store:
        await store.create_collection(collection(TENANT))

        async def writer(seed: int) -> None:
            for one in faces(25, seed=seed):
                await store.add_faces(TENANT, "people", [one])
                kept.append(one)

        async def reader() -> None:
            while len(kept) < 150:
                known = kept[-20:]
                found = await store.get_faces(TENANT, "people", [one.id for one in known])
                assert len(found) == len(known)
                if known:
                    best = await store.search(TENANT, "people", known[0].template, limit=1)
                    assert best[0].face.id == known[0].id

        await asyncio.gather(*(writer(seed) for seed in range(6)), reader(), reader())
    async with lite(tmp_path).opened() as store:
        assert await store.count_faces(TENANT, "people") == 150
        found = await store.get_faces(TENANT, "people", [one.id for one in kept])
        assert [one.id for one in found] == [one.id for one in kept]


async def fill(folder: Path, count: int = 30) -> list[str]:
    made = faces(count)
    async with lite(folder).opened() as store:
        await store.create_collection(collection(TENANT))
        await store.add_faces(TENANT, "people", made)
    return [one.id for one in made]


def data_files(folder: Path) -> list[Path]:
    return list(folder.glob("faces.db/collections/*faces*/partitions/*/data/*.parquet"))


@pytest.mark.parametrize("damage", ["file", "collection", "everything"])
async def test_lost_rows_are_told_on_opening(tmp_path: Path, damage: str) -> None:
    await fill(tmp_path)
    if damage == "file":
        for file in data_files(tmp_path):
            file.unlink()
    elif damage == "collection":
        (folder,) = tmp_path.glob("faces.db/collections/*faces*")
        shutil.rmtree(folder)
    else:
        shutil.rmtree(tmp_path / "faces.db")
    place = lite(tmp_path)
    for _ in range(2):
        with pytest.raises(FailedPrecondition, match=r"lost 3[01] rows.*faces\.db\.rows"):
            await open_store(place.url, StoreSettings())

    (tmp_path / "faces.db.rows").unlink()
    async with place.opened() as store:
        assert await store.ready()
        if damage != "everything":
            assert await store.count_faces(TENANT, "people") == 0


async def test_a_torn_log_is_told_on_opening(tmp_path: Path) -> None:
    """The last record of the log is cut as a power cut may cut it."""
    with child(CHILD, "add_for_ever", tmp_path) as process:
        assert process.stdout is not None
        told = Told()
        told.hear([process.stdout.readline() for _ in range(6)])
    (log,) = tmp_path.glob("faces.db/collections/*faces*/wal/wal_data_*.arrow")
    os.truncate(log, log.stat().st_size // 2)
    with pytest.raises(FailedPrecondition, match="lost"):
        await open_store(lite(tmp_path).url, StoreSettings())


async def test_rows_that_were_not_counted_are_adopted(tmp_path: Path) -> None:
    ids = await fill(tmp_path)
    with sqlite3.connect(tmp_path / "faces.db.rows") as counts:
        counts.execute("UPDATE rows SET count = count - 3 WHERE collection LIKE '%faces%'")
    counts.close()
    async with lite(tmp_path).opened() as store:
        assert await store.count_faces(TENANT, "people") == len(ids)


async def test_the_count_stays_right(tmp_path: Path) -> None:
    made = faces(10)
    async with lite(tmp_path).opened() as store:
        await store.create_collection(collection(TENANT))
        await store.create_collection(collection(TENANT, "other"))
        await store.add_faces(TENANT, "people", made[:6])
        await store.add_faces(TENANT, "people", [*made[4:], face(made[0].template, made[9].id)])
        await store.add_faces(TENANT, "other", made[:3])
        await store.delete_faces(TENANT, "people", [made[0].id, made[1].id, made[1].id, "x"])
        assert await store.count_faces(TENANT, "people") == 8
        assert await store.delete_collection(TENANT, "other") == 3
    counts = sqlite3.connect(tmp_path / "faces.db.rows")
    kept = counts.execute("SELECT collection, count FROM rows ORDER BY collection").fetchall()
    counts.close()
    assert kept == [("beholden_v2_catalog", 1), ("beholden_v2_faces_16", 8)]


async def test_one_process_at_a_time(tmp_path: Path) -> None:
    with child(CHILD, "add_for_ever", tmp_path) as process:
        assert process.stdout is not None
        told = Told()
        told.hear([process.stdout.readline() for _ in range(4)])
        with pytest.raises(FailedPrecondition, match="open in another process; stop that one"):
            await open_store(lite(tmp_path).url, StoreSettings())
        told.hear([process.stdout.readline()])
    await check(tmp_path, told)
    async with lite(tmp_path).opened():
        with pytest.raises(FailedPrecondition, match="open in another process"):
            await open_store(lite(tmp_path).url, StoreSettings())


async def test_a_deletion_cut_short_is_finished_on_opening(tmp_path: Path) -> None:
    """As if killed right after the collection was retired."""
    await fill(tmp_path)
    url = lite(tmp_path).url
    store = await open_store(url, StoreSettings())
    await asyncio.to_thread(store._catalog.retire, TENANT, "people")  # type: ignore[attr-defined]
    assert (await store.list_collections(TENANT, page_size=10)).items == ()
    await store.close()
    async with lite(tmp_path).opened() as store:
        await store.create_collection(collection(TENANT))
        assert await store.count_faces(TENANT, "people") == 0
    assert rows_in(tmp_path, "beholden_v2_faces_16") == 0
    assert rows_in(tmp_path, "beholden_v2_catalog") == 1


def rows_in(folder: Path, name: str) -> int:
    client = MilvusClient(str(folder / "faces.db"))
    try:
        client.load_collection(name)
        return int(client.query(name, filter="", output_fields=["count(*)"])[0]["count(*)"])
    finally:
        from milvus_lite.server_manager import server_manager_instance

        client.close()
        server_manager_instance.release_all()


async def test_too_many_faces_are_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="beholden"):
        async with lite(tmp_path).opened(lite_warn_faces=10) as store:
            await store.create_collection(collection(TENANT))
            await store.add_faces(TENANT, "people", faces(9))
            assert not caplog.records
            await store.add_faces(TENANT, "people", faces(5))
            await store.add_faces(TENANT, "people", faces(5))
            (record,) = caplog.records
            assert f"beholden migrate file:{tmp_path}/faces.db http://" in record.message
        async with lite(tmp_path).opened(lite_warn_faces=10):
            assert len(caplog.records) == 2


async def test_nobody_else_may_read_or_ask(tmp_path: Path) -> None:
    async with lite(tmp_path).opened() as store:
        await store.create_collection(collection(TENANT))
        assert stat.S_IMODE((tmp_path / "faces.db").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "faces.db.rows").stat().st_mode) == 0o600
        socket = Path(store._backend._folder)  # type: ignore[attr-defined]
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert not socket.exists()


async def test_a_template_is_never_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with lite(tmp_path).opened() as store:
        await store.create_collection(collection(TENANT))
        store._backend._server.stop(grace=None).wait()  # type: ignore[attr-defined]
        secret = face(templates(1)[0], external_image_id="secret.jpg")
        with caplog.at_level(logging.DEBUG), pytest.raises(Unavailable):
            await store.add_faces(TENANT, "people", [secret])
    assert "milvus failed" in caplog.text
    assert "secret.jpg" not in caplog.text
    assert str(secret.template[0])[:7] not in caplog.text
