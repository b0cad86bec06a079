"""TensorFlow's operators as ONNX's: each appends one node to the graph that is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from beholden.catalog.convert.graph import ConversionError
from beholden.catalog.convert.tfjs_graph_builder import MAX_RANK, Builder, Node, Tensor

_AXES = (0, 2, 3, 1)
"""Where the axes of a channels-last tensor lie here."""

_BINARY = {
    "Add": "Add",
    "AddV2": "Add",
    "Maximum": "Max",
    "Minimum": "Min",
    "Mul": "Mul",
    "RealDiv": "Div",
    "Sub": "Sub",
}
_UNARY = {"Relu": "Relu", "Sigmoid": "Sigmoid", "Tanh": "Tanh"}
_CONVOLUTIONS = frozenset(
    {"Conv2D", "_FusedConv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative"}
)


def _elementwise(made: Builder, node: Node) -> Tensor:
    rank = max(made.made[name].rank for name in node.inputs)
    operands = [made.operand(node, place, rank) for place in range(2)]
    return made.add(node, rank, _BINARY[node.operator], operands)


def _unary(made: Builder, node: Node) -> Tensor:
    tensor = made.tensor(node, 0)
    return made.add(node, tensor.rank, _UNARY[node.operator], [tensor.name])


def _identity(made: Builder, node: Node) -> Tensor:
    tensor = made.tensor(node, 0)
    return made.add(node, tensor.rank, "Identity", [tensor.name])


def _relu6(made: Builder, node: Node) -> Tensor:
    tensor = made.tensor(node, 0)
    return Tensor(made.clipped(node, tensor.name), tensor.rank)


def _softmax(made: Builder, node: Node) -> Tensor:
    tensor = made.tensor(node, 0)
    axis = 1 if tensor.rank == MAX_RANK else -1
    return made.add(node, tensor.rank, "Softmax", [tensor.name], axis=axis)


def _convolution(made: Builder, node: Node) -> Tensor:
    tensor, kernel = made.tensor(node, 0), made.constant(node, 1)
    group, turned = 1, kernel.transpose(3, 2, 0, 1)
    if "Depthwise" in node.operator:
        height, width, group, multiplier = kernel.shape
        turned = kernel.transpose(2, 3, 0, 1).reshape(group * multiplier, 1, height, width)
    inputs = [tensor.name, made.graph.constant(f"{node.name}/kernel", turned)]
    settings = _window(node) | {"dilations": node.get("dilations", [1] * 4)[1:3], "group": group}

    def append(output: str, bias: bool) -> str:
        offset = [made.graph.constant(f"{node.name}/bias", made.constant(node, 2))] if bias else []
        return made.graph.add("Conv", inputs + offset, output, **settings)

    return made.fused(node, 4, append)


def _pooling(made: Builder, node: Node) -> Tensor:
    # TensorFlow does not count what it pads, and neither does ONNX unless told to.
    operator = "MaxPool" if node.operator == "MaxPool" else "AveragePool"
    size = {"kernel_shape": node.get("ksize", None)[1:3]}
    return made.add(node, 4, operator, [made.tensor(node, 0).name], **size, **_window(node))


def _window(node: Node) -> dict[str, Any]:
    """How a window moves over the picture and what is put around it."""
    node.only("data_format", "NHWC")
    padding = node.only("padding", "VALID", "SAME")
    # What "same" cannot split evenly goes below and to the right.
    around = {"auto_pad": "SAME_UPPER"} if padding == "SAME" else {}
    return {"strides": node.get("strides", [1] * 4)[1:3], **around}


def _product(made: Builder, node: Node) -> Tensor:
    tensor = made.tensor(node, 0)
    if tensor.rank != 2:
        raise ConversionError(f"{node} multiplies a tensor of {tensor.rank} dimensions: not known")
    turns = {f"trans{what.upper()}": int(node.get(f"transpose_{what}", False)) for what in "ab"}
    weights = made.graph.constant(f"{node.name}/weights", made.constant(node, 1))

    def append(output: str, bias: bool) -> str:
        offset = [made.graph.constant(f"{node.name}/bias", made.constant(node, 2))] if bias else []
        return made.graph.add("Gemm", [tensor.name, weights, *offset], output, **turns)

    return made.fused(node, 2, append)


def _mean(made: Builder, node: Node) -> Tensor:
    tensor, keep = made.tensor(node, 0), bool(node.get("keep_dims", False))
    over = {int(axis) % tensor.rank for axis in made.constant(node, 1).ravel()}
    rest = tensor.rank - (0 if keep else len(over))
    axes = sorted(_AXES[axis] for axis in over) if tensor.rank == MAX_RANK else sorted(over)
    if tensor.rank == MAX_RANK and not keep and over != {1, 2}:
        raise ConversionError(f"{node} averages over {sorted(over)}: not known")
    return made.add(node, rest, "ReduceMean", [tensor.name], axes=axes, keepdims=int(keep))


def _reshape(made: Builder, node: Node) -> Tensor:
    tensor, shape = made.tensor(node, 0), made.constant(node, 1).astype(np.int64)
    if len(shape) == MAX_RANK:
        raise ConversionError(f"{node} makes four dimensions: not known")
    name = tensor.name
    if tensor.rank == MAX_RANK:
        name = made.graph.add("Transpose", [name], f"{node.name}/channels_last", perm=[0, 2, 3, 1])
    wanted = made.graph.constant(f"{node.name}/shape", shape)
    return made.add(node, len(shape), "Reshape", [name, wanted])


def _concatenation(made: Builder, node: Node) -> Tensor:
    tensors = [made.tensor(node, place) for place in range(len(node.inputs) - 1)]
    rank = tensors[0].rank
    axis = int(made.constant(node, -1)) % rank
    at = _AXES[axis] if rank == MAX_RANK else axis
    return made.add(node, rank, "Concat", [tensor.name for tensor in tensors], axis=at)


def _bilinear(made: Builder, node: Node) -> Tensor:
    tensor, size = made.tensor(node, 0), made.constant(node, 1).astype(np.int64)
    node.only("align_corners", False)
    how = "half_pixel" if node.get("half_pixel_centers", False) else "asymmetric"
    add, constant = made.graph.add, made.graph.constant
    shape = add("Shape", [tensor.name], f"{node.name}/shape", end=2)
    target = add("Concat", [shape, constant(f"{node.name}/to", size)], f"{node.name}/size", axis=0)
    return made.add(
        node,
        4,
        "Resize",
        [tensor.name, "", "", target],
        mode="linear",
        coordinate_transformation_mode=how,
    )


OPERATORS: Mapping[str, Callable[[Builder, Node], Tensor]] = {
    **dict.fromkeys(_BINARY, _elementwise),
    **dict.fromkeys(_UNARY, _unary),
    **dict.fromkeys(_CONVOLUTIONS, _convolution),
    "AvgPool": _pooling,
    "ConcatV2": _concatenation,
    "Identity": _identity,
    "MatMul": _product,
    "MaxPool": _pooling,
    "Mean": _mean,
    "Relu6": _relu6,
    "Reshape": _reshape,
    "ResizeBilinear": _bilinear,
    "Softmax": _softmax,
    "_FusedMatMul": _product,
}
