"""TensorFlow.js weights, layers one by one against plain numpy, and what is refused."""

from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from beholden.catalog.convert.graph import ConversionError, Graph
from beholden.catalog.convert.tfjs_layers import build
from beholden.catalog.convert.tfjs_model import TfjsModel, read
from beholden.core.models import TensorSpec

RNG = np.random.default_rng(3)


def manifest(specs: list[dict[str, Any]], *paths: str) -> dict[str, Any]:
    return {"modelTopology": {}, "weightsManifest": [{"paths": list(paths), "weights": specs}]}


def spec(
    name: str, shape: list[int], dtype: str = "float32", **quantization: Any
) -> dict[str, Any]:
    return {"name": name, "shape": shape, "dtype": dtype} | (
        {"quantization": quantization} if quantization else {}
    )


def test_weights_of_every_known_kind_over_several_shards() -> None:
    data = (
        np.array([1.5, -2], "<f4").tobytes()
        + bytes([0, 255, 3])
        + np.array([0, 65535], "<u2").tobytes()
        + np.array([0.5], "<f2").tobytes()
        + np.array([-7], "<i4").tobytes()
    )
    document = manifest(
        [
            spec("plain", [2, 1]),
            spec("bytes", [3], dtype="float32")
            | {"quantization": {"dtype": "uint8", "scale": 0.1, "min": -1.0}},
            spec("shorts", [2]) | {"quantization": {"dtype": "uint16", "scale": 0.5, "min": 2.0}},
            spec("halves", []) | {"quantization": {"dtype": "float16"}},
            spec("whole", [1], dtype="int32"),
        ],
        "a",
        "b",
    )
    weights = read(document, {"a": data[:5], "b": data[5:]}).weights
    np.testing.assert_array_equal(weights["plain"], np.float32([[1.5], [-2]]))
    # as JavaScript does: double precision, then once to single
    np.testing.assert_array_equal(
        weights["bytes"], np.float32([0 * 0.1 - 1, 255 * 0.1 - 1, 3 * 0.1 - 1])
    )
    np.testing.assert_array_equal(weights["shorts"], np.float32([2, 32769.5]))
    np.testing.assert_array_equal(weights["halves"], np.float32(0.5))
    np.testing.assert_array_equal(weights["whole"], np.int32([-7]))
    assert weights["halves"].dtype == weights["bytes"].dtype == np.float32


@pytest.mark.parametrize(
    ("document", "files", "said"),
    [
        ({}, {}, "lack 'modelTopology'"),
        (manifest([], "gone"), {}, "lack 'gone'"),
        (manifest([spec("w", [2])], "a"), {"a": b"\0" * 7}, "end inside w"),
        (manifest([spec("w", [2])], "a"), {"a": b"\0" * 9}, "1 bytes longer"),
        (manifest([spec("w", [1], "complex64")], "a"), {"a": b"\0" * 8}, "complex64"),
        (
            manifest([spec("w", [1]) | {"quantization": {"dtype": "int4"}}], "a"),
            {"a": b"\0"},
            "int4",
        ),
    ],
)
def test_wrong_weights_are_refused(
    document: dict[str, Any], files: dict[str, bytes], said: str
) -> None:
    with pytest.raises(ConversionError, match=said):
        read(document, files)


def layer(name: str, kind: str, *before: str, **config: Any) -> dict[str, Any]:
    return {
        "name": name,
        "class_name": kind,
        "config": config,
        "inbound_nodes": [[[other, 0, 0, {}] for other in before]] if before else [],
    }


def run(
    layers: list[dict[str, Any]], weights: dict[str, np.ndarray], values: np.ndarray
) -> np.ndarray:
    """What the last of `layers` answers to channels-last `values`, channels last again."""
    topology = {
        "model_config": {
            "config": {
                "layers": [layer("in", "InputLayer"), *layers],
                "input_layers": [["in", 0, 0]],
                "output_layers": [[layers[-1]["name"], 0, 0]],
            }
        }
    }
    graph = Graph("small")
    build(graph, TfjsModel(topology, weights), "x", "y")
    first = values.transpose(0, 3, 1, 2)
    model = graph.model(
        [TensorSpec("x", "float32", (-1, *first.shape[1:]))], [TensorSpec("y", "float32", ())]
    )
    model.graph.output[0].type.tensor_type.ClearField("shape")
    session = ort.InferenceSession(model.SerializeToString())
    answer = session.run(None, {"x": first.astype(np.float32)})[0]
    return answer.transpose(0, 2, 3, 1) if answer.ndim == 4 else answer


def maps(height: int, width: int, channels: int) -> np.ndarray:
    return RNG.normal(size=(2, height, width, channels)).astype(np.float32)


CONVOLUTION = {
    "kernel_size": [3, 3],
    "strides": [2, 2],
    "padding": "valid",
    "dilation_rate": [1, 1],
    "use_bias": False,
    "activation": "linear",
}


def windows(values: np.ndarray, size: int, stride: int) -> np.ndarray:
    """[N,H,W,C,y,x]."""
    view = np.lib.stride_tricks.sliding_window_view(values, (size, size), (1, 2))
    return view[:, ::stride, ::stride]


def test_convolution_with_bias_and_activation() -> None:
    values, kernel, bias = maps(7, 9, 2), RNG.normal(size=(3, 3, 2, 4)), RNG.normal(size=4)
    settings = {**CONVOLUTION, "use_bias": True, "activation": "relu"}
    weights = {"c/kernel": kernel.astype(np.float32), "c/bias": bias.astype(np.float32)}
    answer = run([layer("c", "Conv2D", "in", **settings)], weights, values)
    want = np.einsum("nhwiyx,yxio->nhwo", windows(values, 3, 2), kernel) + bias
    np.testing.assert_allclose(answer, np.maximum(want, 0), atol=1e-5)


@pytest.mark.parametrize(("side", "before", "after"), [(8, 0, 1), (7, 1, 1)])
def test_same_padding_goes_below_and_right_first(side: int, before: int, after: int) -> None:
    values, kernel = maps(side, side, 2), RNG.normal(size=(3, 3, 2, 4))
    padded = np.pad(values, ((0, 0), (before, after), (before, after), (0, 0)))
    want = np.einsum("nhwiyx,yxio->nhwo", windows(padded, 3, 2), kernel)
    answer = run(
        [layer("c", "Conv2D", "in", **{**CONVOLUTION, "padding": "same"})],
        {"c/kernel": kernel.astype(np.float32)},
        values,
    )
    np.testing.assert_allclose(answer, want, atol=1e-5)


def test_depthwise_convolution_after_zero_padding() -> None:
    values, kernel = maps(6, 6, 2), RNG.normal(size=(3, 3, 2, 3))
    layers = [
        layer("p", "ZeroPadding2D", "in", padding=[[0, 1], [2, 0]]),
        layer("d", "DepthwiseConv2D", "p", **CONVOLUTION),
    ]
    padded = np.pad(values, ((0, 0), (0, 1), (2, 0), (0, 0)))
    want = np.einsum("nhwiyx,yxim->nhwim", windows(padded, 3, 2), kernel)
    answer = run(layers, {"d/depthwise_kernel": kernel.astype(np.float32)}, values)
    np.testing.assert_allclose(answer, want.reshape(2, *want.shape[1:3], 6), atol=1e-5)


def test_normalization_add_and_relu6() -> None:
    values = maps(4, 4, 3) * 5
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    gamma, beta, mean, variance = parts = RNG.uniform(0.5, 2, (4, 3)).astype(np.float32)
    layers = [
        layer("b", "BatchNormalization", "in", axis=-1, scale=True, center=True, epsilon=0.001),
        layer("a", "Add", "b", "in"),
        layer("drop", "Dropout", "a", rate=0.5),
        layer("r", "ReLU", "drop", max_value=6.0, negative_slope=0.0, threshold=0.0),
    ]
    weights = {f"b/{name}": part for name, part in zip(names, parts, strict=True)}
    want = gamma * (values - mean) / np.sqrt(variance + 0.001) + beta + values
    np.testing.assert_allclose(run(layers, weights, values), np.clip(want, 0, 6), atol=1e-4)


def test_pool_flatten_and_dense_keep_keras_order() -> None:
    values, kernel, bias = maps(4, 6, 2), RNG.normal(size=(12, 5)), RNG.normal(size=5)
    layers = [
        layer("p", "AveragePooling2D", "in", pool_size=[2, 2], strides=[2, 2], padding="valid"),
        layer("f", "Flatten", "p", data_format="channels_last"),
        layer("d", "Dense", "f", use_bias=True, activation="softmax"),
    ]
    weights = {"d/kernel": kernel.astype(np.float32), "d/bias": bias.astype(np.float32)}
    scores = windows(values, 2, 2).mean((4, 5)).reshape(2, 12) @ kernel + bias
    want = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(run(layers, weights, values), want, atol=1e-5)


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([layer("l", "LSTM", "in")], "layer l is LSTM, which is not known; known are Add, Aver"),
        ([layer("r", "ReLU", "in", negative_slope=0.2)], "layer r has negative_slope 0.2"),
        (
            [layer("d", "Dense", "in", use_bias=False, activation="swish")],
            "layer d has activation 'swish'",
        ),
        (
            [layer("c", "Conv2D", "in", **CONVOLUTION, data_format="channels_first")],
            "layer c has data_format 'channels_first'",
        ),
        (
            [
                layer("p", "ZeroPadding2D", "in", padding=[[1, 1], [1, 1]]),
                layer("r", "ReLU", "p"),
            ],
            "layer r is padded and is no convolution",
        ),
        (
            [
                layer("p", "ZeroPadding2D", "in", padding=[[1, 1], [1, 1]]),
                layer("c", "Conv2D", "p", **{**CONVOLUTION, "padding": "same"}),
            ],
            "layer c has padding 'same'",
        ),
        ([layer("a", "Add", "elsewhere")], "elsewhere"),
        ([layer("r", "ReLU", "in") | {"inbound_nodes": [[["in"]], [["in"]]]}], "layers model"),
    ],
)
def test_what_is_not_known_is_refused(layers: list[dict[str, Any]], said: str) -> None:
    weights = {"d/kernel": np.zeros((2, 2)), "c/kernel": np.zeros((3, 3, 2, 2))}
    with pytest.raises(ConversionError, match=said):
        run(layers, weights, maps(8, 8, 2))
