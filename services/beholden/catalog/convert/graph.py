"""An ONNX graph under construction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from beholden.core.models import TensorSpec

OPSET = 17
_IR_VERSION = 8  # the one that came with opset 17: any runtime that knows the one reads the other


class ConversionError(Exception):
    """The files are not what the converter understands; the message says what it met."""


class Graph:
    """Nodes and constants; every tensor is named after the step that makes it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def add(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Append a node and return the name of its one output."""
        self._nodes.append(
            helper.make_node(operator, list(inputs), [output], name=output, **attributes)
        )
        return output

    def append(self, node: onnx.NodeProto) -> None:
        """Append a node that comes from another graph."""
        self._nodes.append(node)

    def cut(self, operator: str) -> str:
        """Drop the last node of that operator and all after it; its first input is now the end.

        Raises:
            ConversionError: there is none.
        """
        places = [at for at, node in enumerate(self._nodes) if node.op_type == operator]
        if not places:
            raise ConversionError(f"a {operator} was expected")
        end = str(self._nodes[places[-1]].input[0])
        del self._nodes[places[-1] :]
        used = {name for node in self._nodes for name in node.input}
        self._constants = {name: one for name, one in self._constants.items() if name in used}
        return end

    def constant(self, name: str, value: NDArray[Any], *, exact: bool = False) -> str:
        """Add a constant and return its name; a scalar becomes a list of one unless it is to be `exact`."""
        array = np.asarray(value, order="C") if exact else np.ascontiguousarray(value)
        self._constants[name] = numpy_helper.from_array(array, name)
        return name

    def pixels(self, image: str, rank: int = 4) -> str:
        """Make uint8 [N,H,W,C] into float32 [N,C,H,W] of the same values; of clips [N,T,H,W,C] likewise."""
        order = [0, rank - 1, *range(1, rank - 1)]
        planes = self.add("Transpose", [image], f"{image}/planes", perm=order)
        return self.add("Cast", [planes], f"{image}/pixels", to=onnx.TensorProto.FLOAT)

    def model(self, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> onnx.ModelProto:
        """The finished model with these inputs and outputs."""
        graph = helper.make_graph(
            self._nodes,
            self._name,
            [_declared(spec) for spec in inputs],
            [_declared(spec) for spec in outputs],
            list(self._constants.values()),
        )
        return helper.make_model(
            graph,
            producer_name="beholden",
            ir_version=_IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
        )


def _declared(spec: TensorSpec) -> onnx.ValueInfoProto:
    """The tensor as ONNX declares it; a size of -1 becomes a named dimension."""
    shape = [
        size if size >= 0 else ("batch" if axis == 0 else f"{spec.name}_{axis}")
        for axis, size in enumerate(spec.shape)
    ]
    dtype = helper.np_dtype_to_tensor_dtype(np.dtype(spec.dtype))
    return helper.make_tensor_value_info(spec.name, dtype, shape)
