"""What every InferenceEngine must do."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from beholden.core.errors import FailedPrecondition, InvalidArgument, Unavailable
from beholden.core.ports import InferenceEngine
from beholden.inference.local import LocalEngine
from beholden.inference.settings import InferenceSettings
from tests.contract.inference_engines import ABSENT, DOUBLE, ENGINES


@pytest.fixture(params=ENGINES)
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[InferenceEngine]:
    async with ENGINES[request.param](tmp_path) as made:
        yield made


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
