"""Servers come and go one at a time, and no call fails; a server that leaves says so first."""

import asyncio
import json
import shutil
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.inside import SERVICE, asking, serving
from tests.pictures import ROOT
from tests.rolling import balancing, load, ports

BAN = {
    "says": "Nobody may use face recognition.",
    "classes": ["face_recognition"],
    "since": "2020-01-01",
    "until": "",
}
SERVING = health_pb2.HealthCheckResponse.SERVING


async def health(channel: grpc.aio.Channel) -> int:
    asked = health_pb2.HealthCheckRequest(service=SERVICE)
    return (await health_pb2_grpc.HealthStub(channel).Check(asked)).status


@pytest.mark.thorough
async def test_servers_and_law_are_replaced_one_after_another_and_no_call_fails(
    tmp_path: Path,
) -> None:
    policies = shutil.copytree(ROOT / "policies", tmp_path / "policies")
    first, second, third, probe = ports(4)
    async with (
        serving(tmp_path, first, policies, health_listen=probe, notice_seconds=0.5) as one,
        serving(tmp_path, second, policies, notice_seconds=0.5) as two,
        balancing([first, second, third], SERVICE) as balanced,
        grpc.aio.insecure_channel(first) as direct,
        grpc.aio.insecure_channel(probe) as probing,
        AsyncExitStack() as stack,
    ):
        assert await health(direct) == await health(probing) == SERVING
        async with load([asking(balanced, tmp_path)], callers=3) as seen:
            await stack.enter_async_context(serving(tmp_path, third, policies))
            one.stop.set()
            while await health(probing) == SERVING:
                await asyncio.sleep(0.01)
            # Whoever has not heard of it yet is still answered.
            await asking(direct, tmp_path)()
            await one.task
            await two.end()
            before = (await asking(balanced, tmp_path)()).revision
            (policies / "law/moratoria/data.json").write_text(json.dumps({"everybody": BAN}))
            while (await asking(balanced, tmp_path)()).revision == before:
                await asyncio.sleep(0.01)
        assert set(seen) == {"OK"}
        with pytest.raises(grpc.aio.AioRpcError):
            await asking(direct, tmp_path)()
