"""Published ONNX models as they are, behind a uint8 picture: normalisation and batches built in.

Upstream takes one float [1,3,H,W] tensor in its own channel order and normalisation; here the
picture is uint8 [N,H,W,3] RGB, and the outputs have the catalogue's names, in upstream's order. A
clip is [1,3,T,H,W] there and [N,T,H,W,3] here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, numpy_helper, version_converter

from beholden.catalog.convert.graph import OPSET, ConversionError, Graph
from beholden.catalog.entries import ModelEntry


def convert(entry: ModelEntry, files: Mapping[str, Path]) -> onnx.ModelProto:
    """The one file's graph behind a picture, with the catalogue's outputs.

    Raises:
        ConversionError: it is not one ONNX file with one picture for input.
    """
    return behind_pixels(entry, files, {}).model(entry.inputs, entry.outputs)


def exactly(entry: ModelEntry, files: Mapping[str, Path]) -> onnx.ModelProto:
    """As `convert`, but every constant as it is: for graphs that take any batch, and compute sizes.

    Raises:
        ConversionError: it is not one ONNX file with one picture for input.
    """
    graph = behind_pixels(entry, files, {}, exact=True)
    return graph.model(entry.inputs, entry.outputs)


def behind_pixels(
    entry: ModelEntry,
    files: Mapping[str, Path],
    renamed: Mapping[str, str],
    *,
    exact: bool = False,
) -> Graph:
    """Upstream's nodes behind a picture; its outputs are `renamed`, else called as in the catalogue.

    Raises:
        ConversionError: it is not one ONNX file with one picture for input.
    """
    upstream = _current(entry, files)
    constants = {constant.name for constant in upstream.initializer}
    inputs = [value for value in upstream.input if value.name not in constants]
    rank = len(entry.inputs[0].shape)
    if len(inputs) != 1 or len(inputs[0].type.tensor_type.shape.dim) != rank:
        raise ConversionError(f"one input of {rank} dimensions, a picture or clip, was expected")

    graph = Graph(entry.name)
    names = {inputs[0].name: normalised(entry, graph, inputs[0].type.tensor_type.elem_type)}
    casts = []
    outputs = [renamed.get(value.name, "") for value in upstream.output]
    if not renamed:
        if len(upstream.output) != len(entry.outputs):
            raise ConversionError(f"it has {len(upstream.output)} outputs")
        outputs = [spec.name for spec in entry.outputs]
    for value, name in zip(upstream.output, outputs, strict=True):
        names[value.name] = name
        if value.type.tensor_type.elem_type == TensorProto.FLOAT16:
            names[value.name] = f"{name}/half"
            casts.append(name)
    shaped = (node.input[1] for node in upstream.node if node.op_type == "Reshape")
    reshapes = set() if exact else set(shaped)
    for constant in upstream.initializer:
        array = numpy_helper.to_array(constant)
        whole = _any_batch(array) if constant.name in reshapes else array
        graph.constant(constant.name, whole, exact=exact)
    for node in upstream.node:
        if node.op_type == "Constant" and node.output[0] in reshapes:
            shape = numpy_helper.to_array(node.attribute[0].t)
            graph.constant(node.output[0], _any_batch(shape))
            continue
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        graph.append(node)
    for name in casts:
        graph.add("Cast", [f"{name}/half"], name, to=TensorProto.FLOAT)
    return graph


def _any_batch(shape: NDArray[np.int64]) -> NDArray[np.int64]:
    """A published batch of one that is spelled out is copied from what comes in instead."""
    if shape.size > 1 and shape[0] == 1:
        return np.concatenate((np.zeros(1, shape.dtype), shape[1:]))
    return shape


def _current(entry: ModelEntry, files: Mapping[str, Path]) -> onnx.GraphProto:
    """The one file's graph, in our opset."""
    if len(files) != 1:
        raise ConversionError(f"one ONNX file was expected, not {', '.join(files)}")
    model = onnx.load(next(iter(files.values())))
    # IR versions before 4 list constants among the inputs, which the version converter refuses.
    constants = {constant.name for constant in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 8)
    try:
        current = version_converter.convert_version(model, OPSET)
    except RuntimeError as error:
        raise ConversionError(
            f"{entry.name} cannot be brought to opset {OPSET}: {error}"
        ) from error
    return current.graph


def normalised(entry: ModelEntry, graph: Graph, dtype: int = TensorProto.FLOAT) -> str:
    """The picture as upstream wants it, [N,C,H,W], by what the catalogue says of it; or the clip."""
    wanted, tensor = entry.normalise, entry.inputs[0]
    rank = len(tensor.shape)
    value = graph.pixels(tensor.name, rank)
    if wanted.channels == "BGR":
        order = graph.constant("pixels/order", np.array((2, 1, 0), np.int64))
        value = graph.add("Gather", [value, order], "pixels/bgr", axis=1)
    for name, operator, numbers, neutral in (
        ("mean", "Sub", wanted.mean, 0.0),
        ("deviation", "Div", wanted.deviation, 1.0),
    ):
        if any(number != neutral for number in numbers):
            by = graph.constant(
                f"pixels/by_{name}", np.array(numbers, np.float32).reshape(1, 3, *[1] * (rank - 2))
            )
            value = graph.add(operator, [value, by], f"pixels/{name}")
    if dtype != TensorProto.FLOAT:
        value = graph.add("Cast", [value], "pixels/cast", to=dtype)
    return value
