"""`python -m tests.bench.million --milvus URL`: search in a large gallery, against its floor.

The same templates and probes, in one run: through SearchService (guard, law on an OPA, ledger and all);
by pymilvus directly, asked for the nearest only, and for all that the service has to ask for; and in
FAISS's HNSW in process; recall against exact search.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import grpc
import numpy as np
from pymilvus import MilvusClient
from rich.progress import Progress

from beholden.core.errors import NotFound
from beholden.core.gallery import Collection, Face, Provenance
from beholden.core.geometry import Box
from beholden.core.ports import FaceStore
from beholden.policy.bundle import write_bundle
from beholden.search.probing import LOOK_BEYOND
from beholden.store.open import open_store
from beholden.store.rows import alive, among, equals, face_keys
from beholden.store.schema import faces_name
from beholden.store.settings import StoreSettings
from beholden.v1 import search_pb2, search_pb2_grpc
from tests.bench.load import Measured, measure
from tests.bench.resident import resident
from tests.bench.vectors import DIMENSION, Vectors, nearest, templates
from tests.contract.policy_engines import law, opa_server
from tests.house import ROOT, house

TENANT, GALLERY, MODEL = "daily-herald", "million", "dlib_resnet_v1@1"
FIELDS = ("id", "template", "detail")
TOP, BATCH, WRITERS = 5, 2500, 4
SETTINGS = StoreSettings(prefix="bench", timeout=60)


def face(number: int, template: Vectors) -> Face:
    """The gallery's face `number`."""
    return Face(
        id=str(uuid.UUID(int=number)),
        external_image_id=f"face-{number}",
        media_sha256="0" * 64,
        box=Box(0, 0, 1, 1),
        confidence=1,
        enrolled_ns=1,
        enrolled_by="bench",
        provenance=Provenance(source="bench"),
        template=template,
    )


async def load(store: FaceStore, gallery: Vectors) -> float:
    """Enrols what is not there yet and returns the faces per second, 0 where all were there."""
    try:
        there = await store.count_faces(TENANT, GALLERY)
    except NotFound:
        there = 0
        await store.create_collection(Collection(TENANT, GALLERY, MODEL, DIMENSION, time.time_ns()))
    if there == len(gallery):
        return 0.0
    starts = iter(range(0, len(gallery), BATCH))
    begin = time.perf_counter()
    with Progress() as progress:
        task = progress.add_task("enrolling", total=len(gallery))

        async def writer() -> None:
            for start in starts:
                part = gallery[start : start + BATCH]
                faces = [face(start + row, one) for row, one in enumerate(part)]
                await store.add_faces(TENANT, GALLERY, faces)
                progress.advance(task, len(faces))

        await asyncio.gather(*(writer() for _ in range(WRITERS)))
    return len(gallery) / (time.perf_counter() - begin)


def wait_for_index(client: MilvusClient, name: str, rows: int) -> float:
    """Seconds until no row waits for its index; a server says so too early, so it is asked for long."""
    begin, quiet = time.perf_counter(), 0
    client.flush(name, timeout=600)
    while quiet < 10:
        state = client.describe_index(name, "template")
        done = state.get("indexed_rows", 0) >= rows and not state.get("pending_index_rows", 0)
        quiet = quiet + 1 if done else 0
        time.sleep(2)
    return time.perf_counter() - begin - 20


async def timed(
    ask: Callable[[int], Awaitable[object]], probes: list[int], seconds: float
) -> Measured:
    """One caller, going round the probes."""
    turn = iter(range(1 << 62))
    return await measure(
        lambda: ask(probes[next(turn) % len(probes)]), callers=1, seconds=seconds, warmup=50
    )


@contextmanager
def _law() -> Iterator[str]:
    """An OPA with the project's law; in a folder of its own, for it reads all anew when a file changes."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle.tar.gz"
        write_bundle(law(), bundle)
        with opa_server(bundle, Path(folder), socket_file=True) as url:
            yield url


def recall(found: list[list[int]], exact: Any) -> float:
    """The share of the exact neighbours that were found."""
    hits = sum(len(set(some) & set(all_)) for some, all_ in zip(found, exact.tolist(), strict=True))
    return hits / exact.size


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """Every figure, as JSON."""
    gallery = templates(options.faces)
    probes = np.random.default_rng(1).choice(len(gallery), options.probes, replace=False)
    asked = probes.tolist()
    exact = nearest(gallery, probes, TOP)
    store = await open_store(options.milvus, SETTINGS)
    enrolled = await load(store, gallery)
    await store.close()
    client = MilvusClient(options.milvus, timeout=60)
    name = faces_name(SETTINGS.prefix, DIMENSION)
    indexed = await asyncio.to_thread(wait_for_index, client, name, len(gallery))
    scope = client.query(name, "id >= ''", output_fields=["scope"], limit=1)[0]["scope"]

    def direct(number: int, where: str = "", *, fields: Sequence[str] = ("id",)) -> object:
        return client.search(
            name,
            [gallery[number]],
            filter=where,
            limit=TOP + LOOK_BEYOND,
            output_fields=list(fields),
            search_params={"metric_type": "COSINE", "params": {"ef": SETTINGS.hnsw_ef}},
        )

    def same(number: int) -> None:
        key = face_keys(scope, [str(uuid.UUID(int=number))])
        client.query(name, among(key), output_fields=list(FIELDS))
        direct(number, own, fields=["detail"])

    def soon(number: int) -> object:
        return direct(number, f"{own} and {alive(time.time_ns())}")

    own = equals("scope", scope)
    asks: dict[str, Callable[[int], object]] = {
        "pymilvus": lambda number: direct(number, own),
        "pymilvus, no filter": direct,
        "pymilvus, a filter more": soon,
        "pymilvus, all that the service asks": same,
    }

    with (
        tempfile.TemporaryDirectory() as folder,
        _law() as opa,
        house(
            Path(folder),
            ["search"],
            POLICY_URL=opa,
            STORE_URL=options.milvus,
            STORE__PREFIX=SETTINGS.prefix,
            STORE__TIMEOUT="60",
        ) as served,
    ):
        headers = served.headers(TENANT, "editorial_research")
        async with grpc.aio.insecure_channel(served.address) as channel:
            stub = search_pb2_grpc.SearchServiceStub(channel)

            async def through(number: int) -> list[int]:
                answer = await stub.SearchFaces(
                    search_pb2.SearchFacesRequest(
                        name=f"collections/{GALLERY}/faces/{uuid.UUID(int=number)}",
                        max_results=TOP,
                        min_similarity=0,
                    ),
                    metadata=headers,
                )
                return [
                    int(one.face.external_image_id.removeprefix("face-"))
                    for one in answer.candidates
                ]

            async def directly(ask: Callable[[int], object], number: int) -> object:
                return await asyncio.to_thread(ask, number)

            pairs = []
            for _ in range(options.rounds):
                rows = {"service": await timed(through, asked, options.seconds)}
                for what, ask in asks.items():
                    rows[what] = await timed(partial(directly, ask), asked, options.seconds)
                pairs.append({what: row.row() for what, row in rows.items()})
            found = recall([await through(number) for number in asked], exact)
    result = {
        "faces": len(gallery),
        "enrolled_per_second": enrolled,
        "index_seconds": indexed,
        "recall_at_5": found,
        "resident_bytes": resident(options.milvus),
        "rounds": pairs,
    }
    if options.faiss:
        result["faiss"] = await hnsw(gallery, asked, exact, options.seconds)
    return result


def graph(gallery: Vectors) -> Any:
    """FAISS's graph of the gallery, which takes minutes for a million."""
    index = faiss.IndexHNSWFlat(DIMENSION, SETTINGS.hnsw_m, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = SETTINGS.hnsw_ef_construction
    with Progress() as progress:
        task = progress.add_task("building FAISS's graph", total=len(gallery))
        for start in range(0, len(gallery), 50_000):
            index.add(gallery[start : start + 50_000])
            progress.advance(task, 50_000)
    return index


async def hnsw(gallery: Vectors, asked: list[int], exact: Any, seconds: float) -> dict[str, Any]:
    """FAISS with the same graph parameters, in process: the floor."""
    kept = ROOT / "out" / f"bench-{len(gallery)}.faiss"
    begin = time.perf_counter()
    index = faiss.read_index(str(kept)) if kept.is_file() else graph(gallery)
    built = time.perf_counter() - begin
    faiss.write_index(index, str(kept))
    index.hnsw.efSearch = SETTINGS.hnsw_ef

    def search(number: int) -> list[int]:
        _, ids = index.search(gallery[number : number + 1], TOP + 1)
        return [one for one in ids[0].tolist() if one != number][:TOP]

    async def ask(number: int) -> object:
        return search(number)

    timing = await timed(ask, asked, seconds)
    found = recall([search(number) for number in asked], exact)
    return {"build_seconds": built, "recall_at_5": found, **timing.row()}


def main() -> None:
    """Runs, prints, and keeps the figures under out/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--milvus", required=True, help="http://127.0.0.1:19530")
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--probes", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--faiss", action=argparse.BooleanOptionalAction, default=True)
    (ROOT / "out").mkdir(exist_ok=True)
    found = asyncio.run(run(parser.parse_args()))
    out = ROOT / "out" / "bench-million.json"
    out.write_text(json.dumps(found, indent=1))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
