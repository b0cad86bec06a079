"""A TensorFlow.js layers model (Keras 2 topology) as ONNX.

Keras keeps channels last; here they follow the batch throughout, so that only weights are turned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholden.catalog.convert.graph import ConversionError, Graph
from beholden.catalog.convert.tfjs_model import TfjsModel, Weights

_SAME: Mapping[str, Any] = {"auto_pad": "SAME_UPPER"}
"""TensorFlow's "same": what cannot be split evenly goes below and to the right."""

_ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "softmax": "Softmax", "tanh": "Tanh"}


def build(graph: Graph, model: TfjsModel, source: str, target: str) -> None:
    """Append the model between the float32 tensor `source` [N,C,H,W] and its one answer `target`.

    Raises:
        ConversionError: it has a layer or a setting that is not known here, or more than one input
            or output.
    """
    try:
        network = model.topology["model_config"]["config"]
        [[start, *_]], [[end, *_]] = network["input_layers"], network["output_layers"]
        made = {start: _Tensor(source)}
        for layer in network["layers"]:
            name = layer["name"]
            if name != start:
                before = [made[other] for other, *_ in _before(layer)]
                output = target if name == end else name
                settings = _Layer(graph, name, layer["config"], before, output, model.weights)
                made[name] = _append(settings, layer["class_name"])
    except (KeyError, ValueError, TypeError) as error:
        raise ConversionError(
            f"not a layers model with one input and one output: {error!r}"
        ) from error


def _before(layer: Mapping[str, Any]) -> list[Any]:
    """The layers that one reads; a layer that is used more than once is not known."""
    (nodes,) = layer["inbound_nodes"]
    return list(nodes)


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor of the graph, and the zeros that the next convolution is to put around it.

    `pads` is top, left, bottom, right: a convolution pads for nothing, a node of its own does not.
    """

    name: str
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Layer:
    """One Keras layer: its settings, the tensors it reads, and the name of the one it makes."""

    graph: Graph
    name: str
    config: Mapping[str, Any]
    before: list[_Tensor]
    output: str
    weights: Weights

    @property
    def inputs(self) -> list[str]:
        """The tensors it reads, which are not to be padded."""
        if any(any(tensor.pads) for tensor in self.before):
            raise ConversionError(f"layer {self.name} is padded and is no convolution: not known")
        return [tensor.name for tensor in self.before]

    def weight(self, what: str) -> NDArray[Any]:
        """One of the layer's weights."""
        return self.weights[f"{self.name}/{what}"]

    def constant(self, what: str, value: NDArray[Any]) -> str:
        """A constant of this layer."""
        return self.graph.constant(f"{self.name}/{what}", value)

    def add(self, operator: str, *constants: str, **attributes: Any) -> str:
        """The node that makes the layer's output from its inputs."""
        return self.graph.add(operator, [*self.inputs, *constants], self.output, **attributes)

    def only(self, setting: str, *known: Any) -> None:
        """Refuse a setting that would change the answer and is not known here."""
        if (value := self.config.get(setting, known[0])) not in known:
            raise ConversionError(f"layer {self.name} has {setting} {value!r}, known is {known}")

    def activated(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        """The node and the layer's activation after it."""
        activation = self.config.get("activation", "linear")
        if activation == "linear":
            return self.graph.add(operator, inputs, self.output, **attributes)
        self.only("activation", *_ACTIVATIONS)
        inner = self.graph.add(operator, inputs, f"{self.name}/linear", **attributes)
        return self.graph.add(_ACTIVATIONS[activation], [inner], self.output)


def _append(layer: _Layer, kind: str) -> _Tensor:
    """Append one layer and return the tensor that it makes."""
    layer.only("data_format", "channels_last")
    if kind == "ZeroPadding2D":
        return _padded(layer)
    if kind not in _LAYERS:
        known = ", ".join(sorted([*_LAYERS, "ZeroPadding2D"]))
        raise ConversionError(
            f"layer {layer.name} is {kind}, which is not known; known are {known}"
        )
    return _Tensor(_LAYERS[kind](layer))


def _padded(layer: _Layer) -> _Tensor:
    (inputs,) = layer.inputs
    (top, bottom), (left, right) = layer.config["padding"]
    return _Tensor(inputs, (top, left, bottom, right))


def _convolution(layer: _Layer) -> str:
    return _convolved(layer, layer.weight("kernel").transpose(3, 2, 0, 1), group=1)


def _depthwise_convolution(layer: _Layer) -> str:
    kernel = layer.weight("depthwise_kernel")
    height, width, channels, multiplier = kernel.shape
    turned = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
    return _convolved(layer, turned, group=channels)


def _convolved(layer: _Layer, kernel: NDArray[Any], group: int) -> str:
    (tensor,) = layer.before
    inputs = [tensor.name, layer.constant("kernel", kernel)]
    if layer.config["use_bias"]:
        inputs.append(layer.constant("bias", layer.weight("bias")))
    layer.only("padding", "valid", *([] if any(tensor.pads) else ["same"]))
    padding = {"pads": tensor.pads} if layer.config["padding"] == "valid" else _SAME
    return layer.activated(
        "Conv",
        inputs,
        group=group,
        kernel_shape=layer.config["kernel_size"],
        strides=layer.config["strides"],
        dilations=layer.config["dilation_rate"],
        **padding,
    )


def _batch_normalization(layer: _Layer) -> str:
    layer.only("axis", -1, [-1], 3, [3])
    layer.only("scale", True)
    layer.only("center", True)
    values = [
        layer.constant(what, layer.weight(what))
        for what in ("gamma", "beta", "moving_mean", "moving_variance")
    ]
    return layer.add("BatchNormalization", *values, epsilon=layer.config["epsilon"])


def _relu(layer: _Layer) -> str:
    layer.only("negative_slope", 0, None)
    layer.only("threshold", 0, None)
    largest = layer.config.get("max_value")
    if largest is None:
        return layer.add("Relu")
    bounds = (("least", 0.0), ("largest", largest))
    return layer.add(
        "Clip", *(layer.constant(what, np.array(bound, np.float32)) for what, bound in bounds)
    )


def _average_pooling(layer: _Layer) -> str:
    layer.only("padding", "valid", "same")
    # Keras does not count what it pads, and neither does ONNX unless told to.
    padding = _SAME if layer.config["padding"] == "same" else {}
    return layer.add(
        "AveragePool",
        kernel_shape=layer.config["pool_size"],
        strides=layer.config["strides"],
        **padding,
    )


def _flatten(layer: _Layer) -> str:
    turned = layer.graph.add(
        "Transpose", layer.inputs, f"{layer.name}/channels_last", perm=[0, 2, 3, 1]
    )
    return layer.graph.add("Flatten", [turned], layer.output)


def _dense(layer: _Layer) -> str:
    inputs = [*layer.inputs, layer.constant("kernel", layer.weight("kernel"))]
    if layer.config["use_bias"]:
        inputs.append(layer.constant("bias", layer.weight("bias")))
    return layer.activated("Gemm", inputs)


_LAYERS: Mapping[str, Callable[[_Layer], str]] = {
    "Add": lambda layer: layer.add("Add"),
    "AveragePooling2D": _average_pooling,
    "BatchNormalization": _batch_normalization,
    "Conv2D": _convolution,
    "Dense": _dense,
    "DepthwiseConv2D": _depthwise_convolution,
    "Dropout": lambda layer: layer.inputs[0],
    "Flatten": _flatten,
    "ReLU": _relu,
}
