"""A TensorFlow.js graph model (a frozen TensorFlow graph without control flow) as ONNX.

TensorFlow keeps channels last; here the channels of a tensor with four dimensions follow the batch
throughout, so that only weights and the tensors that a model flattens are turned.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholden.catalog.convert.graph import ConversionError, Graph
from beholden.catalog.convert.tfjs_model import TfjsModel

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
_MAX_DEPTH = 4


def build(
    graph: Graph, model: TfjsModel, sources: Mapping[str, str], targets: Mapping[str, str]
) -> None:
    """Append what the model's nodes `targets` need; the tensors get the names that are given there.

    `sources` says which float32 tensor stands for each placeholder: [N,C,H,W] where it has four
    dimensions. So have the targets. What no target needs is left out, whatever it is made of.

    Raises:
        ConversionError: an operator or a setting that is needed is not known here, or the graph is
            not whole.
    """
    try:
        nodes = {node["name"]: node for node in model.topology["node"]}
        builder = _Builder(graph, model, nodes, sources, targets)
        for name in builder.needed():
            builder.append(_Node(nodes[name]))
    except (KeyError, ValueError, TypeError) as error:
        raise ConversionError(f"not a whole graph model: {error!r}") from error


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor of the graph: how many dimensions it has, and its value where it is a constant.

    A constant lies as TensorFlow has it, and enters the graph only as what its reader makes of it.
    """

    name: str
    rank: int
    value: NDArray[Any] | None = None


class _Node:
    """One node of the graph, its attributes as values."""

    def __init__(self, node: Mapping[str, Any]) -> None:
        self.name: str = node["name"]
        self.operator: str = node["op"]
        self.inputs: list[str] = [_producer(name) for name in node.get("input", ())]
        self.attributes: Mapping[str, Any] = node.get("attr", {})

    def get(self, name: str, default: Any) -> Any:
        """An attribute's value: a text, a number, a truth, or a list of such."""
        if name not in self.attributes:
            return default
        ((kind, value),) = self.attributes[name].items()
        if kind != "list":
            return _plain(kind, value)
        return [_plain(kind, one) for kind, values in value.items() for one in values]

    def only(self, name: str, *known: Any) -> Any:
        """An attribute's value, refused where it would change the answer and is not known here."""
        if (value := self.get(name, known[0])) not in known:
            raise ConversionError(f"{self} has {name} {value!r}, known is {known}")
        return value

    def __str__(self) -> str:
        return f"{self.name} ({self.operator})"


def _producer(name: str) -> str:
    """The node that makes the tensor `name`; of nodes with several answers none is known here."""
    producer, _, number = name.partition(":")
    if name.startswith("^") or number not in ("", "0"):
        raise ConversionError(f"an input {name}, which is no node's first answer, is not known")
    return producer


def _plain(kind: str, value: Any) -> Any:
    if kind == "s":
        return base64.b64decode(value).decode()
    return int(value) if kind == "i" else value


@dataclass(slots=True)
class _Builder:
    """The graph being made, and the tensors that lie in it already by their node's name."""

    graph: Graph
    model: TfjsModel
    nodes: Mapping[str, Mapping[str, Any]]
    sources: Mapping[str, str]
    targets: Mapping[str, str]
    made: dict[str, _Tensor] = field(default_factory=dict, init=False)

    def needed(self) -> list[str]:
        """The nodes that the targets need, each after those that it reads."""
        order: dict[str, None] = {}
        waiting = [(name, False) for name in reversed(list(self.targets))]
        reading: set[str] = set()
        while waiting:
            name, read = waiting.pop()
            if read:
                order[name] = None
            elif name not in order:
                if name in reading:
                    raise ConversionError(f"{name} reads what it makes: control flow is not known")
                reading.add(name)
                waiting.append((name, True))
                before = _Node(self.nodes[name]).inputs
                waiting += [(other, False) for other in reversed(before) if other not in order]
        return list(order)

    def append(self, node: _Node) -> None:
        """Append one node, all of whose inputs are made."""
        if node.operator == "Const":
            value = self.model.weights[node.name]
            self.made[node.name] = _Tensor(node.name, value.ndim, value)
        elif node.operator == "Placeholder":
            if node.name not in self.sources:
                raise ConversionError(f"the graph reads {node.name} too")
            rank = len(node.attributes["shape"]["shape"]["dim"])
            self.made[node.name] = _Tensor(self.sources[node.name], rank)
        else:
            make = _OPERATORS.get(node.operator)
            if make is None:
                known = ", ".join(sorted(_OPERATORS))
                raise ConversionError(f"{node} is of an unknown operator; known are {known}")
            self.made[node.name] = make(self, node)

    def output(self, node: _Node) -> str:
        """What the tensor is called that a node makes."""
        return self.targets.get(node.name, node.name)

    def tensor(self, node: _Node, place: int) -> _Tensor:
        """One of a node's inputs, which is not a constant."""
        tensor = self.made[node.inputs[place]]
        if tensor.value is not None:
            raise ConversionError(f"{node} reads a constant where a tensor is known")
        if tensor.rank > _MAX_DEPTH:
            raise ConversionError(f"{node} reads a tensor of {tensor.rank} dimensions: not known")
        return tensor

    def constant(self, node: _Node, place: int) -> NDArray[Any]:
        """The value of one of a node's inputs, which must be a constant."""
        value = self.made[node.inputs[place]].value
        if value is None:
            raise ConversionError(f"{node} computes what is known only as a constant")
        return value

    def add(self, node: _Node, rank: int, operator: str, inputs: list[str], **said: Any) -> _Tensor:
        """The node that makes a node's answer."""
        return _Tensor(self.graph.add(operator, inputs, self.output(node), **said), rank)

    def operand(self, node: _Node, place: int, rank: int) -> str:
        """An input of an elementwise node whose answer has `rank` dimensions."""
        made = self.made[node.inputs[place]]
        if made.value is None:
            if made.rank != rank:
                raise ConversionError(f"{node} stretches a tensor that is computed: not known")
            return made.name
        value = made.value
        if rank == _MAX_DEPTH:
            value = value.reshape((1,) * (rank - value.ndim) + value.shape).transpose(0, 3, 1, 2)
        return self.graph.constant(f"{node.name}/{place}", value)

    def fused(self, node: _Node, rank: int, made: Callable[[str, bool], str]) -> _Tensor:
        """A node with what is fused to it: `made` appends it under a name, with a bias or without."""
        after = list(node.get("fused_ops", []))
        bias = after[:1] == ["BiasAdd"]
        activations = after[1:] if bias else after
        if len(activations) > 1 or not {*activations} <= {"Relu", "Relu6"}:
            raise ConversionError(f"{node} has {after} fused to it: not known")
        if not activations:
            return _Tensor(made(self.output(node), bias), rank)
        inner = made(f"{node.name}/linear", bias)
        if activations == ["Relu6"]:
            return _Tensor(self.clipped(node, inner), rank)
        return self.add(node, rank, "Relu", [inner])

    def clipped(self, node: _Node, inner: str) -> str:
        """`inner` between 0 and 6."""
        bounds = [
            self.graph.constant(f"{node.name}/{what}", np.array(bound, np.float32))
            for what, bound in (("least", 0), ("largest", 6))
        ]
        return self.graph.add("Clip", [inner, *bounds], self.output(node))


def _elementwise(made: _Builder, node: _Node) -> _Tensor:
    rank = max(made.made[name].rank for name in node.inputs)
    operands = [made.operand(node, place, rank) for place in range(2)]
    return made.add(node, rank, _BINARY[node.operator], operands)


def _unary(made: _Builder, node: _Node) -> _Tensor:
    tensor = made.tensor(node, 0)
    return made.add(node, tensor.rank, _UNARY[node.operator], [tensor.name])


def _identity(made: _Builder, node: _Node) -> _Tensor:
    tensor = made.tensor(node, 0)
    return made.add(node, tensor.rank, "Identity", [tensor.name])


def _relu6(made: _Builder, node: _Node) -> _Tensor:
    tensor = made.tensor(node, 0)
    return _Tensor(made.clipped(node, tensor.name), tensor.rank)


def _softmax(made: _Builder, node: _Node) -> _Tensor:
    tensor = made.tensor(node, 0)
    axis = 1 if tensor.rank == _MAX_DEPTH else -1
    return made.add(node, tensor.rank, "Softmax", [tensor.name], axis=axis)


def _convolution(made: _Builder, node: _Node) -> _Tensor:
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


def _pooling(made: _Builder, node: _Node) -> _Tensor:
    # TensorFlow does not count what it pads, and neither does ONNX unless told to.
    operator = "MaxPool" if node.operator == "MaxPool" else "AveragePool"
    size = {"kernel_shape": node.get("ksize", None)[1:3]}
    return made.add(node, 4, operator, [made.tensor(node, 0).name], **size, **_window(node))


def _window(node: _Node) -> dict[str, Any]:
    """How a window moves over the picture and what is put around it."""
    node.only("data_format", "NHWC")
    padding = node.only("padding", "VALID", "SAME")
    # What "same" cannot split evenly goes below and to the right.
    around = {"auto_pad": "SAME_UPPER"} if padding == "SAME" else {}
    return {"strides": node.get("strides", [1] * 4)[1:3], **around}


def _product(made: _Builder, node: _Node) -> _Tensor:
    tensor = made.tensor(node, 0)
    if tensor.rank != 2:
        raise ConversionError(f"{node} multiplies a tensor of {tensor.rank} dimensions: not known")
    turns = {f"trans{what.upper()}": int(node.get(f"transpose_{what}", False)) for what in "ab"}
    weights = made.graph.constant(f"{node.name}/weights", made.constant(node, 1))

    def append(output: str, bias: bool) -> str:
        offset = [made.graph.constant(f"{node.name}/bias", made.constant(node, 2))] if bias else []
        return made.graph.add("Gemm", [tensor.name, weights, *offset], output, **turns)

    return made.fused(node, 2, append)


def _mean(made: _Builder, node: _Node) -> _Tensor:
    tensor, keep = made.tensor(node, 0), bool(node.get("keep_dims", False))
    over = {int(axis) % tensor.rank for axis in made.constant(node, 1).ravel()}
    rest = tensor.rank - (0 if keep else len(over))
    axes = sorted(_AXES[axis] for axis in over) if tensor.rank == _MAX_DEPTH else sorted(over)
    if tensor.rank == _MAX_DEPTH and not keep and over != {1, 2}:
        raise ConversionError(f"{node} averages over {sorted(over)}: not known")
    return made.add(node, rest, "ReduceMean", [tensor.name], axes=axes, keepdims=int(keep))


def _reshape(made: _Builder, node: _Node) -> _Tensor:
    tensor, shape = made.tensor(node, 0), made.constant(node, 1).astype(np.int64)
    if len(shape) == _MAX_DEPTH:
        raise ConversionError(f"{node} makes four dimensions: not known")
    name = tensor.name
    if tensor.rank == _MAX_DEPTH:
        name = made.graph.add("Transpose", [name], f"{node.name}/channels_last", perm=[0, 2, 3, 1])
    wanted = made.graph.constant(f"{node.name}/shape", shape)
    return made.add(node, len(shape), "Reshape", [name, wanted])


def _concatenation(made: _Builder, node: _Node) -> _Tensor:
    tensors = [made.tensor(node, place) for place in range(len(node.inputs) - 1)]
    rank = tensors[0].rank
    axis = int(made.constant(node, -1)) % rank
    at = _AXES[axis] if rank == _MAX_DEPTH else axis
    return made.add(node, rank, "Concat", [tensor.name for tensor in tensors], axis=at)


def _bilinear(made: _Builder, node: _Node) -> _Tensor:
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


_OPERATORS: Mapping[str, Callable[[_Builder, _Node], _Tensor]] = {
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
