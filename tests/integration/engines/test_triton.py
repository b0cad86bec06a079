"""What only an engine in another process has to get right: being refused, left, and found again."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient

from beholden.core.errors import FailedPrecondition, Unavailable
from beholden.core.models import ModelSpec, TensorSpec
from beholden.core.ports import InferenceEngine
from beholden.engines.unit import free_port
from beholden.inference.open import open_inference
from beholden.inference.settings import InferenceSettings
from tests.contract.inference_engines import ABSENT, DOUBLE, MODELS, SLOW, lay_out, triton
from tests.engines import Running

LARGE = (2, 100_000, 2)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("triton")
    lay_out(folder / "models")
    with triton(folder / "models", folder) as made:
        yield made


async def opened(url: str, models: tuple[ModelSpec, ...], shared: int = 0) -> InferenceEngine:
    return await open_inference(url, Path(), models, InferenceSettings(shared_memory=shared))


async def doubles(engine: InferenceEngine, value: int) -> None:
    x = np.full(LARGE, value, np.uint8)
    np.testing.assert_array_equal((await engine.infer(DOUBLE, {"x": x}))["y"], 2.0 * x)


async def until_ready(engine: InferenceEngine) -> None:
    async with asyncio.timeout(60):
        while not await engine.ready(DOUBLE):
            await asyncio.sleep(0.05)


def ours_in_shared_memory() -> set[str]:
    """What Python's shared memory is called; Triton's own has another name."""
    return {path.name for path in Path("/dev/shm").glob("psm_*")}


def mapped(server: Running) -> list[str]:
    """The regions that Triton holds."""
    with InferenceServerClient(server.unit.address.removeprefix("grpc://")) as client:
        return list(client.get_system_shared_memory_status().regions)


WRONG = {
    "name": (replace(DOUBLE, inputs=(TensorSpec("z", "uint8", (-1, -1, 2)),)), "no input z"),
    "dtype": (
        replace(DOUBLE, inputs=(TensorSpec("x", "float32", (-1, -1, 2)),)),
        "input x as uint8",
    ),
    "dims": (replace(DOUBLE, outputs=(TensorSpec("y", "float32", (-1, -1, 3)),)), "output y as"),
    "batch": (replace(DOUBLE, max_batch=8), "batches of at most 4, not 8"),
    "absent": (ABSENT, "beholden models pull absent"),
}


@pytest.mark.parametrize(("model", "said"), WRONG.values(), ids=WRONG)
async def test_another_model_than_the_catalogues_is_refused_at_the_start(
    server: Running, model: ModelSpec, said: str
) -> None:
    with pytest.raises(FailedPrecondition, match=said):
        await opened(server.unit.address, (model,))


async def test_other_weights_are_refused_at_the_start(tmp_path: Path) -> None:
    lay_out(tmp_path / "models")
    with triton(tmp_path / "models", tmp_path, models=(replace(DOUBLE, digest="a" * 64),)) as made:
        await (await opened(made.unit.address, (replace(DOUBLE, digest="a" * 64),))).close()
        with pytest.raises(FailedPrecondition, match="weights aaaaaaaaaaaa, not bbbbbbbbbbbb"):
            await opened(made.unit.address, (replace(DOUBLE, digest="b" * 64),))


@pytest.mark.parametrize("url", ["grpc://", "grpc://host/path", "http://host:8001", "grpc:8001"])
async def test_an_address_that_is_none_says_what_would_be(url: str) -> None:
    with pytest.raises(FailedPrecondition, match="grpc://HOST:PORT"):
        await opened(url, (DOUBLE,))


async def test_one_that_is_not_there_yet_is_only_not_ready() -> None:
    engine = await opened(f"grpc://127.0.0.1:{free_port()}", MODELS)
    assert not await engine.ready(DOUBLE)
    with pytest.raises(Unavailable) as refused:
        await engine.infer(DOUBLE, {"x": np.zeros((1, 1, 2), np.uint8)})
    assert "127.0.0.1" not in str(refused.value)
    await engine.close()


@pytest.mark.parametrize("shared", [0, 64])
async def test_one_that_was_killed_is_found_again(server: Running, shared: int) -> None:
    engine = await opened(server.unit.address, MODELS, shared)
    await doubles(engine, 1)
    await doubles(engine, 2)
    waiting = [
        asyncio.create_task(engine.infer(SLOW, {"x": np.ones((1, 1, 2), np.uint8)}))
        for _ in range(4)
    ]
    await asyncio.sleep(0.02)
    await asyncio.to_thread(server.kill)
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(end, dict | Unavailable) for end in ends)
    assert not await engine.ready(DOUBLE)
    with pytest.raises(Unavailable):
        await doubles(engine, 3)
    await asyncio.to_thread(server.start)
    await until_ready(engine)
    for value in range(4, 8):
        await doubles(engine, value)
    await engine.close()


@pytest.mark.parametrize("shared", [0, 64])
async def test_one_that_was_killed_and_started_between_two_calls_is_not_noticed(
    server: Running, shared: int
) -> None:
    engine = await opened(server.unit.address, MODELS, shared)
    await doubles(engine, 1)
    await doubles(engine, 2)
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    async with asyncio.timeout(30):
        while True:  # the connection itself may take a moment to come back
            try:
                await doubles(engine, 3)
                break
            except Unavailable:
                await asyncio.sleep(0.05)
    await engine.close()


async def test_what_was_cancelled_in_the_queue_is_not_run(server: Running) -> None:
    def runs() -> int:
        with InferenceServerClient(server.unit.address.removeprefix("grpc://")) as client:
            return client.get_inference_statistics("slow").model_stats[0].inference_count

    engine = await opened(server.unit.address, MODELS)
    x = np.ones((1, 1, 2), np.uint8)
    before = runs()
    tasks = [asyncio.create_task(engine.infer(SLOW, {"x": x})) for _ in range(30)]
    await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await engine.infer(SLOW, {"x": x})
    assert runs() - before < 20
    await engine.close()


async def test_shared_memory_is_gone_from_the_system_while_it_is_used(server: Running) -> None:
    before = ours_in_shared_memory()
    engine = await opened(server.unit.address, MODELS, 64)
    for value in range(3):
        await doubles(engine, value)
    assert ours_in_shared_memory() <= before
    await engine.close()
    assert not mapped(server)


CHILD = """
import asyncio, sys
from tests.integration.engines.test_triton import MODELS, doubles, opened
async def main():
    engine = await opened(sys.argv[1], MODELS, 64)
    await doubles(engine, 1)
    await doubles(engine, 2)
    print("using", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_a_client_that_is_killed_leaves_nothing_behind(server: Running) -> None:
    before = ours_in_shared_memory()
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, server.unit.address],
        env={**os.environ, "PYTHONPATH": f"{root}:{root / 'services'}"},
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"using\n"
        child.send_signal(signal.SIGKILL)
    assert ours_in_shared_memory() <= before
    assert mapped(server)
    engine = await opened(server.unit.address, MODELS, 64)
    assert not [name for name in mapped(server) if f"-{child.pid}-" in name]
    await engine.close()
