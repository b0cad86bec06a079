"""CenterFace (Star-Clouds/CenterFace) from its published ONNX file, for any batch and size.

Upstream declares one shape, takes float32 [N,3,H,W] and answers the logarithm of sizes; here the
picture is uint8 [N,H,W,3], and `size` is in pixels of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx

from beholden.catalog.convert.graph import ConversionError, Graph
from beholden.catalog.entries import ModelEntry

_FILE = "centerface.onnx"

_STRIDE = 4
"""Pixels between two cells of the output maps."""

_RENAMED = {
    "input.1": "image/pixels",
    "537": "heatmap",
    "538": "size/log",
    "539": "offset",
    "540": "landmarks",
}

_OPERATORS = frozenset({"Add", "BatchNormalization", "Conv", "ConvTranspose", "Relu", "Sigmoid"})
"""What the graph is made of; each means the same in upstream's opset 9 and in ours."""


def convert(entry: ModelEntry, files: Mapping[str, Path]) -> onnx.ModelProto:
    """Upstream's graph between a uint8 picture and sizes in pixels.

    Raises:
        ConversionError: the file is another graph than the one this was written for.
    """
    upstream = onnx.load(files[_FILE]).graph
    if strange := {node.op_type for node in upstream.node} - _OPERATORS:
        raise ConversionError(f"{_FILE} has operators not met before: {', '.join(sorted(strange))}")
    tensors = {name for node in upstream.node for name in (*node.input, *node.output)}
    if missing := _RENAMED.keys() - tensors:
        raise ConversionError(f"{_FILE} lacks the tensors {', '.join(sorted(missing))}")

    graph = Graph(entry.name)
    graph.pixels("image")
    for node in upstream.node:
        node.input[:] = [_RENAMED.get(name, name) for name in node.input]
        node.output[:] = [_RENAMED.get(name, name) for name in node.output]
        graph.append(node)
    for constant in upstream.initializer:
        if constant.name in tensors:
            graph.constant(constant.name, onnx.numpy_helper.to_array(constant))
    cells = graph.add("Exp", ["size/log"], "size/cells")
    stride = graph.constant("size/stride", np.array(_STRIDE, np.float32))
    graph.add("Mul", [cells, stride], "size")
    return graph.model(entry.inputs, entry.outputs)
