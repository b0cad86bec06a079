"""The nodes of a TensorFlow.js graph model, and the ONNX graph that is made of them one by one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholden.catalog.convert.graph import ConversionError, Graph
from beholden.catalog.convert.tfjs_model import TfjsModel

MAX_RANK = 4
"""The most dimensions of a tensor that is known here; those with so many have channels."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the graph: how many dimensions it has, and its value where it is a constant.

    A constant lies as TensorFlow has it, and enters the graph only as what its reader makes of it.
    """

    name: str
    rank: int
    value: NDArray[Any] | None = None


class Node:
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
class Builder:
    """The graph being made, and the tensors that lie in it already by their node's name.

    `operators` append one node each, by the operator that they stand for.
    """

    graph: Graph
    operators: Mapping[str, Callable[[Builder, Node], Tensor]]
    model: TfjsModel
    nodes: Mapping[str, Mapping[str, Any]]
    sources: Mapping[str, str]
    targets: Mapping[str, str]
    made: dict[str, Tensor] = field(default_factory=dict, init=False)

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
                before = [] if name in self.sources else Node(self.nodes[name]).inputs
                waiting += [(other, False) for other in reversed(before) if other not in order]
        return list(order)

    def append(self, node: Node) -> None:
        """Append one node, all of whose inputs are made."""
        if node.operator == "Const":
            value = self.model.weights[node.name]
            self.made[node.name] = Tensor(node.name, value.ndim, value)
        elif node.name in self.sources:
            shape = node.attributes.get("shape")
            rank = len(shape["shape"]["dim"]) if shape else MAX_RANK
            self.made[node.name] = Tensor(self.sources[node.name], rank)
        elif node.operator == "Placeholder":
            raise ConversionError(f"the graph reads {node.name} too")
        else:
            make = self.operators.get(node.operator)
            if make is None:
                known = ", ".join(sorted(self.operators))
                raise ConversionError(f"{node} is of an unknown operator; known are {known}")
            self.made[node.name] = make(self, node)

    def output(self, node: Node) -> str:
        """What the tensor is called that a node makes."""
        return self.targets.get(node.name, node.name)

    def tensor(self, node: Node, place: int) -> Tensor:
        """One of a node's inputs, which is not a constant."""
        tensor = self.made[node.inputs[place]]
        if tensor.value is not None:
            raise ConversionError(f"{node} reads a constant where a tensor is known")
        if tensor.rank > MAX_RANK:
            raise ConversionError(f"{node} reads a tensor of {tensor.rank} dimensions: not known")
        return tensor

    def constant(self, node: Node, place: int) -> NDArray[Any]:
        """The value of one of a node's inputs, which must be a constant."""
        value = self.made[node.inputs[place]].value
        if value is None:
            raise ConversionError(f"{node} computes what is known only as a constant")
        return value

    def add(self, node: Node, rank: int, operator: str, inputs: list[str], **said: Any) -> Tensor:
        """The node that makes a node's answer."""
        return Tensor(self.graph.add(operator, inputs, self.output(node), **said), rank)

    def operand(self, node: Node, place: int, rank: int) -> str:
        """An input of an elementwise node whose answer has `rank` dimensions."""
        made = self.made[node.inputs[place]]
        if made.value is None:
            if made.rank != rank:
                raise ConversionError(f"{node} stretches a tensor that is computed: not known")
            return made.name
        value = made.value
        if rank == MAX_RANK:
            value = value.reshape((1,) * (rank - value.ndim) + value.shape).transpose(0, 3, 1, 2)
        return self.graph.constant(f"{node.name}/{place}", value)

    def fused(self, node: Node, rank: int, made: Callable[[str, bool], str]) -> Tensor:
        """A node with what is fused to it: `made` appends it under a name, with a bias or without."""
        after = list(node.get("fused_ops", []))
        bias = after[:1] == ["BiasAdd"]
        activations = after[1:] if bias else after
        if len(activations) > 1 or not {*activations} <= {"Relu", "Relu6"}:
            raise ConversionError(f"{node} has {after} fused to it: not known")
        if not activations:
            return Tensor(made(self.output(node), bias), rank)
        inner = made(f"{node.name}/linear", bias)
        if activations == ["Relu6"]:
            return Tensor(self.clipped(node, inner), rank)
        return self.add(node, rank, "Relu", [inner])

    def clipped(self, node: Node, inner: str) -> str:
        """`inner` between 0 and 6."""
        bounds = [
            self.graph.constant(f"{node.name}/{what}", np.array(bound, np.float32))
            for what, bound in (("least", 0), ("largest", 6))
        ]
        return self.graph.add("Clip", [inner, *bounds], self.output(node))
