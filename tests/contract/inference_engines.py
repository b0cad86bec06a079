"""The InferenceEngine adapters under test, each over a repository of two tiny models."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from beholden.core.models import ModelSpec, TensorSpec
from tests.engines import Running, needs, running

DOUBLE = ModelSpec(
    name="double",
    version=1,
    role="test",
    inputs=(TensorSpec("x", "uint8", (-1, -1, 2)),),
    outputs=(TensorSpec("y", "float32", (-1, -1, 2)),),
    max_batch=4,
)
SLOW = ModelSpec(
    name="slow", version=1, role="test", inputs=DOUBLE.inputs, outputs=DOUBLE.outputs, max_batch=1
)
PICK = ModelSpec(
    name="pick", version=1, role="test", inputs=DOUBLE.inputs, outputs=DOUBLE.outputs, max_batch=1
)
"""`y` is the rows of `x` that are not 0, so that its shape depends on what is in it."""

ABSENT = ModelSpec(
    name="absent", version=1, role="test", inputs=DOUBLE.inputs, outputs=DOUBLE.outputs
)
MODELS = (DOUBLE, SLOW, PICK)

ENGINES = {"local": 0, "triton": 0, "triton-shared": 64}
"""By name, with the MiB of memory shared."""


def lay_out(repository: Path) -> None:
    """Writes `y = 2 x`, at once and after much multiplying of matrices, and PICK, as a pull would."""
    for name, rounds in (("double", 0), ("slow", 12)):
        folder = repository / name / "1"
        folder.mkdir(parents=True)
        onnx.save(_double(rounds), folder / "model.onnx")
    folder = repository / "pick" / "1"
    folder.mkdir(parents=True)
    onnx.save(_pick(), folder / "model.onnx")


@contextmanager
def triton(
    repository: Path, folder: Path, models: Sequence[ModelSpec] = MODELS
) -> Iterator[Running]:
    """A Triton over that repository, at a port of its own; `folder` is its own too."""
    unit = needs("triton").unit(models, repository, folder / "triton", 0)
    with running(unit, folder / "triton.log") as server:
        yield server


def _double(rounds: int) -> onnx.ModelProto:
    shape = ["n", "m", 2]
    x = helper.make_tensor_value_info("x", TensorProto.UINT8, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    # It depends on the input, so that it is not folded away, and comes to nothing in the end.
    work = [
        helper.make_node("ReduceMax", ["f"], ["most"], keepdims=0),
        helper.make_node("Add", ["orthogonal", "most"], ["m0"]),
        *(
            helper.make_node("MatMul", [f"m{i}", "orthogonal"], [f"m{i + 1}"])
            for i in range(rounds)
        ),
        helper.make_node("ReduceMax", [f"m{rounds}"], ["end"], keepdims=0),
        helper.make_node("Mul", ["end", "zero"], ["nothing"]),
        helper.make_node("Add", ["f", "nothing"], ["g"]),
    ]
    matrix = np.roll(np.eye(1024, dtype=np.float32), 1, axis=0)
    constants = {"orthogonal": matrix, "zero": np.float32(0)}
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
            *(work if rounds else ()),
            helper.make_node("Add", ["f", "g" if rounds else "f"], ["y"]),
        ],
        "double",
        [x],
        [y],
        [numpy_helper.from_array(np.asarray(v), name) for name, v in constants.items() if rounds],
    )
    return _model(graph)


def _pick() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["f"], ["most"], axes=[0, 2], keepdims=0),
        helper.make_node("Cast", ["most"], ["wanted"], to=TensorProto.BOOL),
        helper.make_node("Compress", ["f", "wanted"], ["y"], axis=1),
    ]
    shape = ["n", "m", 2]
    x = helper.make_tensor_value_info("x", TensorProto.UINT8, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", "k", 2])
    return _model(helper.make_graph(nodes, "pick", [x], [y]))


def _model(graph: onnx.GraphProto) -> onnx.ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
