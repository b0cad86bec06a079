"""Health follows the engines, down and up again."""

import asyncio

import pytest
from grpc_health.v1 import health_pb2

from beholden.runtime.health import LIVENESS, NOT_SERVING, SERVING, Health

ASKED = ("", "one", "two", LIVENESS)


async def said(health: Health) -> list[int]:
    return [
        (await health.servicer.Check(health_pb2.HealthCheckRequest(service=name), None)).status
        for name in ASKED
    ]


async def until(health: Health, wanted: list[int]) -> None:
    async with asyncio.timeout(30):
        while await said(health) != wanted:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("raises", [False, True])
async def test_the_server_is_ready_again_when_its_services_are(raises: bool) -> None:
    up = {"one": True, "two": False}

    async def two() -> bool:
        if raises and not up["two"]:
            raise RuntimeError("no engine")
        return up["two"]

    async def one() -> bool:
        return up["one"]

    health = Health({"one": one, "two": two}, interval=0.02)
    await health.start()
    assert await said(health) == [NOT_SERVING, SERVING, NOT_SERVING, SERVING]
    up["two"] = True
    await until(health, [SERVING, SERVING, SERVING, SERVING])
    up["one"] = False
    await until(health, [NOT_SERVING, NOT_SERVING, SERVING, SERVING])
    up["one"] = True
    await until(health, [SERVING, SERVING, SERVING, SERVING])
    await health.drain()
    assert await said(health) == [NOT_SERVING] * len(ASKED)
