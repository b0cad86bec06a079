"""A server that goes away and comes back: what may be repeated is, and nothing else."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from beholden.client import AsyncClient, Client, ResourceExhausted
from beholden.v1 import detection_pb2, detection_pb2_grpc, search_pb2, search_pb2_grpc
from tests.house import headers
from tests.inside import Inside, serving
from tests.rolling import ports


async def test_a_server_that_comes_back_is_waited_for(tmp_path: Path) -> None:
    (address,) = ports(1)
    async with serving(tmp_path, address) as inside:
        who = headers(tmp_path / "identity.key", "beholden-ops", roles=["operator"])
        token = who[0][1].removeprefix("Bearer ")
        with Client(address, token=token) as client:
            async with AsyncClient(address, token=token) as aio:
                revision = (await aio.get_policy_status()).message.revision
                await inside.end()
                asked = asyncio.gather(
                    aio.get_policy_status(), asyncio.to_thread(client.get_policy_status)
                )
                # Both have been refused by now, since nobody listens.
                await asyncio.sleep(0.1)
                assert not asked.done()
                back = Inside(inside.settings)
                await back.begin()
                try:
                    assert [one.message.revision for one in await asked] == [revision] * 2
                finally:
                    await back.end()


class Busy(detection_pb2_grpc.DetectionServiceServicer, search_pb2_grpc.SearchServiceServicer):
    """Says `pushback` to the first call of each method, and answers the second."""

    def __init__(self, pushback: str) -> None:
        self.calls: Counter[str] = Counter()
        self.pushback = pushback
        self.lock = threading.Lock()

    def _first(self, name: str, context: Any) -> None:
        with self.lock:
            self.calls[name] += 1
            if self.calls[name] > 1:
                return
        context.set_trailing_metadata((("grpc-retry-pushback-ms", self.pushback),))
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy")

    def DetectFaces(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._first("detect", context)
        return detection_pb2.DetectFacesResponse()

    def CreateCollection(self, request: Any, context: Any) -> Any:  # noqa: N802
        self._first("create", context)
        return search_pb2.CreateCollectionResponse()


@contextmanager
def busy(pushback: str) -> Iterator[tuple[Busy, Client]]:
    servicer, server = Busy(pushback), grpc.server(ThreadPoolExecutor(2))
    detection_pb2_grpc.add_DetectionServiceServicer_to_server(servicer, server)
    search_pb2_grpc.add_SearchServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with Client(f"127.0.0.1:{port}") as client:
            yield servicer, client
    finally:
        server.stop(None)


def test_the_server_says_when_and_a_large_picture_is_sent_again() -> None:
    with busy("1") as (servicer, client):
        client.detect_faces(bytes(3 * 2**20))
        assert servicer.calls["detect"] == 2
        with pytest.raises(ResourceExhausted):
            client.create_collection(collection_id="a")
        assert servicer.calls["create"] == 1, "not idempotent"


def test_and_whether() -> None:
    with busy("-1") as (servicer, client):
        with pytest.raises(ResourceExhausted):
            client.detect_faces(b"x")
        assert servicer.calls["detect"] == 1
