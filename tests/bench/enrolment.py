"""`python -m tests.bench.enrolment --milvus URL`: how fast ready templates are enrolled, and by what.

By pymilvus alone, by the adapter, and through the whole service in ImportFaces streams; each into a
collection of its own, which is deleted afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from pymilvus import MilvusClient
from rich.console import Console
from rich.table import Table

from beholden.core.gallery import Collection
from beholden.store.open import open_store
from beholden.store.rows import faces_to_rows
from beholden.store.schema import faces_name
from beholden.store.settings import StoreSettings
from beholden.v1 import collection_pb2, enrolment_pb2, search_pb2, search_pb2_grpc
from tests.bench.million import MODEL, TENANT, face
from tests.bench.vectors import DIMENSION, Vectors, templates
from tests.house import ROOT, house

SETTINGS = StoreSettings(prefix="bench_enrol", timeout=60)
BATCH = 1000


async def by_pymilvus(url: str, gallery: Vectors) -> float:
    """Rows a second, the rows made beforehand, into the adapter's own Milvus collection."""
    client = MilvusClient(url, timeout=60)
    name, scope = faces_name(SETTINGS.prefix, DIMENSION), uuid.uuid4().hex
    batches = [
        [
            {**row, "detail": json.loads(row["detail"])}
            for row in faces_to_rows(
                scope, [face(start + row, one) for row, one in enumerate(part)], DIMENSION
            )
        ]
        for start in range(0, len(gallery), BATCH)
        for part in [gallery[start : start + BATCH]]
    ]
    begin = time.perf_counter()
    for rows in batches:
        await asyncio.to_thread(client.insert, name, rows)
    spent = time.perf_counter() - begin
    client.delete(name, filter=f'scope == "{scope}"')
    client.close()
    return len(gallery) / spent


async def by_adapter(url: str, gallery: Vectors, writers: int) -> float:
    """Faces a second, each batch durable and seen by everybody before the next of its writer."""
    store = await open_store(url, SETTINGS)
    name = uuid.uuid4().hex
    await store.create_collection(Collection(TENANT, name, MODEL, DIMENSION, time.time_ns()))
    faces = [face(row, one) for row, one in enumerate(gallery)]
    starts = iter(range(0, len(gallery), BATCH))
    begin = time.perf_counter()

    async def writer() -> None:
        for start in starts:
            await store.add_faces(TENANT, name, faces[start : start + BATCH])

    await asyncio.gather(*(writer() for _ in range(writers)))
    spent = time.perf_counter() - begin
    await store.delete_collection(TENANT, name)
    await store.close()
    return len(gallery) / spent


async def by_service(url: str, gallery: Vectors, streams: int) -> float:
    """Faces a second, guard, law and ledger and all, as the caller sees them answered."""
    batches = [
        enrolment_pb2.ImportFacesRequest(
            batch=enrolment_pb2.ImportBatch(
                templates=np.ascontiguousarray(part, "<f4").tobytes(),
                faces=[
                    enrolment_pb2.ImportedFace(external_image_id=f"face-{start + row}")
                    for row in range(len(part))
                ],
            )
        )
        for start in range(0, len(gallery), BATCH)
        for part in [gallery[start : start + BATCH]]
    ]
    with (
        tempfile.TemporaryDirectory() as folder,
        house(
            Path(folder),
            ["search"],
            STORE_URL=url,
            STORE__PREFIX=SETTINGS.prefix,
            STORE__TIMEOUT="60",
        ) as served,
    ):
        headers = served.headers(TENANT, "editorial_research")
        async with grpc.aio.insecure_channel(served.address) as channel:
            stub = search_pb2_grpc.SearchServiceStub(channel)
            name = uuid.uuid4().hex
            await stub.CreateCollection(
                search_pb2.CreateCollectionRequest(collection_id=name), metadata=headers
            )
            start = enrolment_pb2.ImportFacesRequest(
                start=enrolment_pb2.ImportStart(
                    enrolment=enrolment_pb2.BulkEnrolment(
                        parent=f"collections/{name}",
                        provenance=collection_pb2.Provenance(source="b", legal_basis="b"),
                    ),
                    model=MODEL,
                )
            )

            async def stream(number: int) -> int:
                async def messages() -> AsyncIterator[enrolment_pb2.ImportFacesRequest]:
                    yield start
                    for batch in batches[number::streams]:
                        yield batch

                kept = 0
                async for answer in stub.ImportFaces(messages(), metadata=headers):
                    kept += sum(one.HasField("face") for one in answer.results)
                return kept

            begin = time.perf_counter()
            kept = sum(await asyncio.gather(*map(stream, range(streams))))
            spent = time.perf_counter() - begin
            assert kept == len(gallery), f"{kept} of {len(gallery)} were enrolled"
            await stub.DeleteCollection(
                search_pb2.DeleteCollectionRequest(name=f"collections/{name}"), metadata=headers
            )
    return kept / spent


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """Faces a second by each way."""
    gallery = templates(options.faces)
    # The adapter first: it makes the Milvus collection.
    found: dict[str, Any] = {"faces": len(gallery)}
    for writers in (1, 4):
        found[f"adapter, {writers} writers"] = await by_adapter(options.milvus, gallery, writers)
    found["pymilvus, 1 writer"] = await by_pymilvus(options.milvus, gallery)
    for streams in (1, 2):
        found[f"service, {streams} streams"] = await by_service(options.milvus, gallery, streams)
    return found


def main() -> None:
    """Runs, prints, and keeps the figures under out/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--milvus", required=True, help="http://127.0.0.1:19530")
    parser.add_argument("--faces", type=int, default=100_000)
    found = asyncio.run(run(parser.parse_args()))
    out = ROOT / "out" / "bench-enrolment.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(found, indent=1))
    table = Table(title=f"{found.pop('faces'):,} ready templates into Milvus")
    table.add_column("by")
    table.add_column("faces a second", justify="right")
    for what, rate in found.items():
        table.add_row(what, f"{rate:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
