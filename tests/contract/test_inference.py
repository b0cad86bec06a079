"""What every InferenceEngine must do."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest

from beholden.core.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    Unavailable,
)
from beholden.core.ports import InferenceEngine
from beholden.inference.local import LocalEngine
from beholden.inference.open import open_inference
from beholden.inference.settings import InferenceSettings
from tests.contract.inference_engines import (
    ABSENT,
    DOUBLE,
    ENGINES,
    MODELS,
    PICK,
    SLOW,
    lay_out,
    triton,
)
from tests.engines import Running


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    lay_out(folder)
    return folder


@pytest.fixture(scope="module")
def triton_server(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with triton(repository, tmp_path_factory.mktemp("triton")) as server:
        yield server


@pytest.fixture(params=ENGINES)
async def engine(
    request: pytest.FixtureRequest, repository: Path
) -> AsyncIterator[InferenceEngine]:
    url = "local:"
    if request.param != "local":
        url = request.getfixturevalue("triton_server").unit.address
    settings = InferenceSettings(shared_memory=ENGINES[request.param])
    made = await open_inference(url, repository, MODELS, settings)
    yield made
    await made.close()


def batch(rows: int, columns: int = 3) -> np.ndarray:
    return np.arange(rows * columns * 2, dtype=np.uint8).reshape(rows, columns, 2)


@pytest.mark.parametrize("rows", [1, 3, 4, 5, 11])
async def test_answers_in_order_whatever_the_batch(engine: InferenceEngine, rows: int) -> None:
    x = batch(rows)
    y = (await engine.infer(DOUBLE, {"x": x}))["y"]
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, 2.0 * x)


async def test_takes_views(engine: InferenceEngine) -> None:
    x = batch(4, 8)[::2, ::-1]
    y = (await engine.infer(DOUBLE, {"x": x}))["y"]
    np.testing.assert_array_equal(y, 2.0 * x)


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"z": batch(1)},
        {"x": batch(1), "z": batch(1)},
        {"x": batch(1).astype(np.float32)},
        {"x": batch(1)[0]},
        {"x": batch(1)[:, :, :1]},
        {"x": batch(0)},
    ],
    ids=["nothing", "name", "more", "dtype", "rank", "shape", "empty"],
)
async def test_refuses_what_does_not_fit(
    engine: InferenceEngine, inputs: dict[str, np.ndarray]
) -> None:
    with pytest.raises(InvalidArgument, match="inputs"):
        await engine.infer(DOUBLE, inputs)


async def test_says_which_model_is_missing(engine: InferenceEngine) -> None:
    assert await engine.ready(DOUBLE)
    assert not await engine.ready(ABSENT)
    with pytest.raises(FailedPrecondition, match="beholden models pull absent"):
        await engine.infer(ABSENT, {"x": batch(1)})


async def test_answers_many_at_once(engine: InferenceEngine) -> None:
    inputs = [batch(1, columns) for columns in range(1, 33)]
    answers = await asyncio.gather(*(engine.infer(DOUBLE, {"x": x}) for x in inputs))
    for x, answer in zip(inputs, answers, strict=True):
        np.testing.assert_array_equal(answer["y"], 2.0 * x)


async def test_large_tensors_of_the_same_shape_do_not_mix(engine: InferenceEngine) -> None:
    """Those that an engine may hand over in memory that it uses again."""
    inputs = [np.full((2, 100_000, 2), value, np.uint8) for value in range(8)]
    kept = []
    for x in inputs:
        kept.append((await engine.infer(DOUBLE, {"x": x}))["y"])
    kept += [
        answer["y"]
        for answer in await asyncio.gather(*(engine.infer(DOUBLE, {"x": x}) for x in inputs))
    ]
    for x, y in zip([*inputs, *inputs], kept, strict=True):
        np.testing.assert_array_equal(y, 2.0 * x)


async def test_answers_of_any_size_to_inputs_of_one_size(engine: InferenceEngine) -> None:
    for kept in (1000, 1000, 150_000, 10, 0, 200_000):
        x = np.zeros((1, 200_000, 2), np.uint8)
        x[:, :kept] = 7
        y = (await engine.infer(PICK, {"x": x}))["y"]
        assert y.shape == (1, kept, 2)
        assert (y == 7).all()


async def test_a_deadline_is_kept(engine: InferenceEngine) -> None:
    with pytest.raises(DeadlineExceeded, match="slow@1"):
        await engine.infer(SLOW, {"x": batch(1)}, timeout=0.001)
    x = batch(3)
    np.testing.assert_array_equal((await engine.infer(DOUBLE, {"x": x}))["y"], 2.0 * x)


@pytest.mark.parametrize("columns", [3, 200_000], ids=["small", "large"])
async def test_cancelling_ends_the_waiting_and_harms_nobody(
    engine: InferenceEngine, columns: int
) -> None:
    x = np.full((1, columns, 2), 7, np.uint8)
    for model in (SLOW, DOUBLE):  # so that the shapes of the answers are known to the engine
        np.testing.assert_array_equal((await engine.infer(model, {"x": x}))["y"], 2.0 * x)
    tasks = [asyncio.create_task(engine.infer(SLOW, {"x": x})) for _ in range(3)]
    await asyncio.sleep(0.02)
    for task in tasks:
        task.cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends)
    for value in range(4):
        other = np.full((1, columns, 2), value, np.uint8)
        np.testing.assert_array_equal((await engine.infer(DOUBLE, {"x": other}))["y"], 2.0 * other)


async def test_closed_is_unavailable(engine: InferenceEngine) -> None:
    await engine.close()
    assert not await engine.ready(DOUBLE)
    with pytest.raises(Unavailable):
        await engine.infer(DOUBLE, {"x": batch(1)})


def test_a_model_that_does_not_load_says_what_helps(tmp_path: Path) -> None:
    (tmp_path / "double" / "1").mkdir(parents=True)
    (tmp_path / "double" / "1" / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(FailedPrecondition, match="beholden models pull double"):
        LocalEngine(tmp_path, [DOUBLE], InferenceSettings())
