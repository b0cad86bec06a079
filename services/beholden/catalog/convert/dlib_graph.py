"""dlib's face recognition network as ONNX: uint8 RGB chips to raw 128-d embeddings.

A residual network of 29 convolutions (dlib's `dnn_face_recognition_ex.cpp`). dlib's own answers on
the same chips are reached to about 2e-6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from beholden.catalog.convert.dlib_format import Layer, Network, parse
from beholden.catalog.convert.graph import ConversionError, Graph
from beholden.catalog.entries import ModelEntry

_FILE = "dlib_face_recognition_resnet_model_v1.dat"

_INPUT_SCALE = 1 / 256
"""dlib divides by 256 after subtracting the means."""


def convert(entry: ModelEntry, files: Mapping[str, Path]) -> onnx.ModelProto:
    """The network of the `.dat` file.

    Raises:
        ConversionError: the file holds another network.
    """
    graph = Graph(entry.name)
    build(graph, parse(files[_FILE].read_bytes()), "chips", "embedding")
    return graph.model(entry.inputs, entry.outputs)


def build(graph: Graph, network: Network, chips: str, embedding: str) -> None:
    """Append the whole network: stem, residual blocks, mean over the map, fully connected layer.

    Raises:
        ConversionError: the layers do not come in that order, or do not fit each other.
    """
    builder = _Builder(graph, network.layers)
    maps = _Maps(_normalised(graph, network, chips), 3, network.side)
    maps = builder.convolution(builder.take("con_4"), maps)
    maps = builder.relu(maps)
    maps = builder.pool(builder.take("max_pool_2"), maps, "MaxPool")
    while (layer := builder.take("con_4", "avg_pool_2")).kind == "con_4":
        maps = builder.block(layer, maps)
    pooled = graph.add("GlobalAveragePool", [maps.name], "pooled")
    flat = graph.add("Flatten", [pooled], "flat")
    last = builder.take("fc_2")
    weights = graph.constant("fc/weights", _shaped(last.parameters, maps.channels, last.outputs))
    graph.add("MatMul", [flat, weights], embedding)
    builder.end()


def _normalised(graph: Graph, network: Network, chips: str) -> str:
    means = np.array(network.mean, np.float32).reshape(1, 3, 1, 1)
    centred = graph.add(
        "Sub", [graph.pixels(chips), graph.constant("chips/means", means)], "chips/centred"
    )
    scale = graph.constant("chips/scale", np.array(_INPUT_SCALE, np.float32))
    return graph.add("Mul", [centred, scale], "chips/scaled")


def _shaped(values: NDArray[np.float32], *shape: int) -> NDArray[np.float32]:
    """`values` in `shape`, which they must fill."""
    if values.size != np.prod(shape):
        raise ConversionError(f"{values.size} parameters where a layer of shape {shape} stands")
    return values.reshape(shape)


@dataclass(frozen=True, slots=True)
class _Maps:
    """A tensor [N, channels, side, side] of the graph."""

    name: str
    channels: int
    side: int


class _Builder:
    """Takes layer after layer and appends to the graph what it does."""

    def __init__(self, graph: Graph, layers: tuple[Layer, ...]) -> None:
        self._graph = graph
        self._layers: Iterator[Layer] = iter(layers)
        self._number = 0

    def take(self, *kinds: str) -> Layer:
        """The next layer, which must be of one of `kinds`."""
        self._number += 1
        layer = next(self._layers, Layer("nothing"))
        if layer.kind not in kinds:
            raise ConversionError(
                f"layer {self._number} is {layer.kind}, expected {' or '.join(kinds)}"
            )
        return layer

    def end(self) -> None:
        """No layer may be left."""
        if (layer := next(self._layers, None)) is not None:
            raise ConversionError(f"{layer.kind} after the last layer")

    def block(self, first: Layer, before: _Maps) -> _Maps:
        """Two convolutions beside a shortcut, which a block that halves the map pools."""
        maps = self.relu(self.convolution(first, before))
        maps = self.convolution(self.take("con_4"), maps)
        shortcut = before
        layer = self.take("add_prev_", "avg_pool_2")
        if layer.kind == "avg_pool_2":
            shortcut = self.pool(layer, before, "AveragePool")
            self.take("add_prev_")
        return self.relu(self._sum(maps, shortcut))

    def convolution(self, layer: Layer, before: _Maps) -> _Maps:
        """A convolution and the affine layer after it, as one."""
        affine = self.take("affine_")
        gamma, beta = _shaped(affine.parameters, 2, layer.outputs)
        height, width, *_ = layer.window
        shape = (layer.outputs, before.channels, height, width)
        weights = _shaped(layer.parameters[: -layer.outputs], *shape)
        biases = layer.parameters[-layer.outputs :]
        name = f"conv{self._number}"
        inputs = [
            before.name,
            self._graph.constant(f"{name}/weights", weights * gamma.reshape(-1, 1, 1, 1)),
            self._graph.constant(f"{name}/biases", biases * gamma + beta),
        ]
        self._graph.add("Conv", inputs, name, **_window(layer))
        return _Maps(name, layer.outputs, _side_after(layer, before.side))

    def relu(self, before: _Maps) -> _Maps:
        """A rectifier."""
        self.take("relu_")
        name = self._graph.add("Relu", [before.name], f"relu{self._number}")
        return _Maps(name, before.channels, before.side)

    def pool(self, layer: Layer, before: _Maps, operator: str) -> _Maps:
        """A pool; like dlib's it leaves out what no longer fills a window."""
        name = self._graph.add(operator, [before.name], f"pool{self._number}", **_window(layer))
        return _Maps(name, before.channels, _side_after(layer, before.side))

    def _sum(self, maps: _Maps, shortcut: _Maps) -> _Maps:
        """The sum of both in the larger one's shape; as in dlib what is missing counts as zero."""
        channels = max(maps.channels, shortcut.channels)
        side = max(maps.side, shortcut.side)
        parts = [self._padded(part, channels, side) for part in (maps, shortcut)]
        return _Maps(self._graph.add("Add", parts, f"sum{self._number}"), channels, side)

    def _padded(self, maps: _Maps, channels: int, side: int) -> str:
        """Zeros after the last channel, below and to the right."""
        more, wider = channels - maps.channels, side - maps.side
        if not more and not wider:
            return maps.name
        name = f"{maps.name}/padded"
        widths = np.array([0, 0, 0, 0, 0, more, wider, wider], np.int64)
        return self._graph.add(
            "Pad", [maps.name, self._graph.constant(f"{name}/widths", widths)], name
        )


def _window(layer: Layer) -> dict[str, list[int]]:
    """The layer's window as ONNX says it."""
    height, width, stride_y, stride_x, pad_y, pad_x = layer.window
    return {
        "kernel_shape": [height, width],
        "strides": [stride_y, stride_x],
        "pads": [pad_y, pad_x, pad_y, pad_x],
    }


def _side_after(layer: Layer, side: int) -> int:
    """The side of what a square window makes of a square map."""
    size, _, stride, _, padding, _ = layer.window
    return (side + 2 * padding - size) // stride + 1
