"""The InferenceEngine adapters under test, each over a repository of one tiny model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from beholden.core.models import ModelSpec, TensorSpec
from beholden.core.ports import InferenceEngine
from beholden.inference.open import open_inference
from beholden.inference.settings import InferenceSettings

DOUBLE = ModelSpec(
    name="double",
    version=1,
    role="test",
    inputs=(TensorSpec("x", "uint8", (-1, -1, 2)),),
    outputs=(TensorSpec("y", "float32", (-1, -1, 2)),),
    max_batch=4,
)
ABSENT = ModelSpec(
    name="absent", version=1, role="test", inputs=DOUBLE.inputs, outputs=DOUBLE.outputs
)

CONFIG = """name: "double"
platform: "onnxruntime_onnx"
max_batch_size: 4
input [ { name: "x" data_type: TYPE_UINT8 dims: [ -1, 2 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ -1, 2 ] } ]
dynamic_batching { }
"""


def lay_out(repository: Path) -> None:
    """Writes the model `y = 2 x` as the catalogue would."""
    folder = repository / "double" / "1"
    folder.mkdir(parents=True)
    shape = ["n", "m", 2]
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("Add", ["f", "f"], ["y"]),
        ],
        "double",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    (folder.parent / "config.pbtxt").write_text(CONFIG)


@asynccontextmanager
async def local(folder: Path) -> AsyncIterator[InferenceEngine]:
    """ONNX Runtime in process."""
    lay_out(folder)
    engine = await open_inference("local:", folder, [DOUBLE], InferenceSettings())
    try:
        yield engine
    finally:
        await engine.close()


ENGINES = {"local": local}
