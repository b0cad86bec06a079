"""`python -m tests.bench.thousand --milvus URL`: many galleries in one server, and what the scope costs.

A thousand collections of a thousand faces unless told otherwise; what a run before has made is kept, so
that one that was cut short goes on. The same probes are searched in their own collection through the
adapter, by pymilvus with the adapter's filter, and by pymilvus without one over all faces.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from typing import Any

import numpy as np
from pymilvus import MilvusClient
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from beholden.core.errors import NotFound
from beholden.core.gallery import Collection
from beholden.core.ports import FaceStore
from beholden.store.open import open_store
from beholden.store.schema import faces_name
from beholden.store.settings import StoreSettings
from tests.bench.load import measure
from tests.bench.million import BATCH, MODEL, TENANT, face, recall
from tests.bench.resident import resident
from tests.bench.vectors import DIMENSION, Vectors, nearest, templates
from tests.house import ROOT

TOP, MAKERS = 5, 48
_QUIET_SECONDS = 20.0
SETTINGS = StoreSettings(prefix="bench_many", timeout=60, threads=MAKERS)


async def fill(store: FaceStore, gallery: Vectors, size: int) -> float:
    """Makes and fills what is not there; the faces a second, 0 where all were there."""
    count = len(gallery) // size
    todo = iter(range(count))
    made = 0
    begin = time.perf_counter()
    with Progress() as progress:
        task = progress.add_task("filling collections", total=count)

        async def maker() -> None:
            nonlocal made
            for number in todo:
                name = f"c{number:06}"
                try:
                    there = await store.count_faces(TENANT, name)
                except NotFound:
                    there = 0
                    await store.create_collection(
                        Collection(TENANT, name, MODEL, DIMENSION, time.time_ns())
                    )
                if there != size:
                    first = number * size
                    faces = [face(first + row, gallery[first + row]) for row in range(size)]
                    for start in range(0, size, BATCH):
                        await store.add_faces(TENANT, name, faces[start : start + BATCH])
                    made += size
                progress.advance(task)

        await asyncio.gather(*(maker() for _ in range(MAKERS)))
    return made / (time.perf_counter() - begin)


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """Every figure, as JSON."""
    size = options.faces
    gallery = templates(options.collections * size)
    probes = np.random.default_rng(1).choice(len(gallery), options.probes, replace=False)
    store = await open_store(options.milvus, SETTINGS)
    client = MilvusClient(options.milvus, timeout=60)
    name = faces_name(SETTINGS.prefix, DIMENSION)
    try:
        filled = await fill(store, gallery, size)
        indexed = await asyncio.to_thread(settled, client, name)
        scopes = _scopes(client)
        exact = np.array([_own(gallery, int(probe), size) for probe in probes])
        found: list[list[int]] = []
        for probe in probes.tolist():
            matches = await store.search(
                TENANT, f"c{probe // size:06}", gallery[probe], limit=TOP + 1
            )
            ids = [int(one.face.external_image_id.removeprefix("face-")) for one in matches]
            found.append([one for one in ids if one != probe][:TOP])
        turn = iter(range(1 << 62))

        def probe() -> int:
            return int(probes[next(turn) % len(probes)])

        async def adapter() -> object:
            number = probe()
            return await store.search(TENANT, f"c{number // size:06}", gallery[number], limit=TOP)

        def direct(filtered: bool) -> object:
            number = probe()
            scope = scopes[f"c{number // size:06}"]
            return client.search(
                name,
                [gallery[number]],
                filter=f'scope == "{scope}"' if filtered else "",
                limit=TOP,
                output_fields=["id"],
                search_params={"metric_type": "COSINE", "params": {"ef": SETTINGS.hnsw_ef}},
            )

        asks = {
            "adapter, own collection": adapter,
            "pymilvus, own collection": lambda: asyncio.to_thread(direct, True),
            "pymilvus, no filter": lambda: asyncio.to_thread(direct, False),
        }
        timed = {
            f"{what}, {callers} callers": (
                await measure(ask, callers=callers, seconds=options.seconds, warmup=20)
            ).row()
            for what, ask in asks.items()
            for callers in (1, 8)
        }
    finally:
        await store.close()
        client.close()
    return {
        "collections": options.collections,
        "faces_each": size,
        "filled_per_second": filled,
        "index_seconds": indexed,
        "resident_bytes": resident(options.milvus),
        "recall_at_5": recall(found, exact),
        "searches": timed,
    }


def settled(client: MilvusClient, name: str) -> float:
    """Seconds until the index no longer grows; small parts of a gallery are never indexed."""
    begin = time.perf_counter()
    client.flush(name, timeout=600)
    before, since = None, time.perf_counter()
    while time.perf_counter() - since < _QUIET_SECONDS:
        state = client.describe_index(name, "template")
        now = (state.get("indexed_rows", 0), state.get("pending_index_rows", 0))
        if now != before:
            before, since = now, time.perf_counter()
        time.sleep(2)
    return since - begin


def _own(gallery: Vectors, probe: int, size: int) -> list[int]:
    first = probe // size * size
    part = gallery[first : first + size]
    return [first + int(one) for one in nearest(part, np.array([probe - first]), TOP)[0]]


def _scopes(client: MilvusClient) -> dict[str, str]:
    """The scope of each collection, as the catalogue has it."""
    rows = client.query_iterator(
        f"{faces_name(SETTINGS.prefix, 0).rpartition('_faces')[0]}_catalog",
        filter="live == true",
        output_fields=["scope", "detail"],
        batch_size=1000,
    )
    found: dict[str, str] = {}
    while batch := rows.next():
        found |= {row["detail"]["id"]: row["scope"] for row in batch}
    rows.close()
    return found


def main() -> None:
    """Runs, prints, and keeps the figures under out/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--milvus", required=True, help="http://127.0.0.1:19530")
    parser.add_argument("--collections", type=int, default=1000)
    parser.add_argument("--faces", type=int, default=1000, help="in each collection")
    parser.add_argument("--probes", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=8)
    found = asyncio.run(run(parser.parse_args()))
    out = ROOT / "out" / "bench-thousand.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(found, indent=1))
    table = Table(title=f"{found['collections']:,} collections of {found['faces_each']:,} faces")
    for title in ("search", "p50 ms", "p95 ms", "p99 ms", "per s"):
        table.add_column(title, justify="left" if title == "search" else "right")
    for what, row in found["searches"].items():
        cells = (row["p50"], row["p95"], row["p99"], row["rate"])
        table.add_row(what, *(f"{cell:.1f}" for cell in cells))
    shown = Console()
    shown.print(table)
    shown.print(
        f"recall@5 {found['recall_at_5']:.4f} · {found['filled_per_second']:,.0f} faces/s ·"
        f" index {found['index_seconds']:.0f} s · {found['resident_bytes'] / 1e6:,.0f} MB resident"
    )


if __name__ == "__main__":
    main()
