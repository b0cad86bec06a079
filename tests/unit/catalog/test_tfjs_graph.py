"""TensorFlow.js graph models: each operator on a small graph against plain numpy, and what is refused."""

import base64
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from beholden.catalog.convert.graph import ConversionError, Graph
from beholden.catalog.convert.tfjs_graph import build
from beholden.catalog.convert.tfjs_model import TfjsModel
from beholden.core.models import TensorSpec

RNG = np.random.default_rng(5)
WINDOW = {"strides": [1, 2, 2, 1], "padding": "VALID", "data_format": "NHWC"}


def attribute(value: Any) -> dict[str, Any]:
    """An attribute as model.json has it."""
    if isinstance(value, bool):
        return {"b": value}
    if isinstance(value, str):
        return {"s": base64.b64encode(value.encode()).decode()}
    if isinstance(value, list):
        kinds = [attribute(one) for one in value]
        kind = next(iter(kinds[0])) if kinds else "i"
        return {"list": {kind: [one[kind] for one in kinds]}}
    return {"i": str(value)}


def node(name: str, operator: str, *inputs: str, **attributes: Any) -> dict[str, Any]:
    said = {key: attribute(value) for key, value in attributes.items()}
    return {"name": name, "op": operator, "input": list(inputs), "attr": said}


def placeholder(name: str, rank: int) -> dict[str, Any]:
    dimensions = {"dim": [{"size": "-1"}] * rank}
    return {"name": name, "op": "Placeholder", "attr": {"shape": {"shape": dimensions}}}


def convert(
    nodes: list[dict[str, Any]], weights: dict[str, np.ndarray], rank: int = 4, wanted: str = ""
) -> Graph:
    graph = Graph("small")
    constants = [node(name, "Const") for name in weights]
    topology = {"node": [*constants, placeholder("in", rank), *nodes]}
    target = wanted or nodes[-1]["name"]
    build(graph, TfjsModel(topology, weights), {"in": "x"}, {target: "y"})
    return graph


def run(
    nodes: list[dict[str, Any]],
    weights: dict[str, np.ndarray],
    values: np.ndarray,
    wanted: str = "",
) -> np.ndarray:
    """What a node (the last) answers to channels-last `values`, channels last again."""
    graph = convert(nodes, weights, values.ndim, wanted)
    first = values.transpose(0, 3, 1, 2) if values.ndim == 4 else values
    model = graph.model(
        [TensorSpec("x", "float32", (-1, *first.shape[1:]))], [TensorSpec("y", "float32", ())]
    )
    model.graph.output[0].type.tensor_type.ClearField("shape")
    session = ort.InferenceSession(model.SerializeToString())
    answer = session.run(None, {"x": first.astype(np.float32)})[0]
    return answer.transpose(0, 2, 3, 1) if answer.ndim == 4 else answer


def maps(height: int, width: int, channels: int) -> np.ndarray:
    return RNG.normal(size=(2, height, width, channels)).astype(np.float32)


def floats(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def windows(values: np.ndarray, size: int, stride: int) -> np.ndarray:
    """[N,H,W,C,y,x]."""
    view = np.lib.stride_tricks.sliding_window_view(values, (size, size), (1, 2))
    return view[:, ::stride, ::stride]


@pytest.mark.parametrize(
    ("operator", "wanted"),
    [
        ("Add", np.add),
        ("AddV2", np.add),
        ("Maximum", np.maximum),
        ("Minimum", np.minimum),
        ("Mul", np.multiply),
        ("RealDiv", np.divide),
        ("Sub", np.subtract),
    ],
)
@pytest.mark.parametrize("shape", [(), (3,), (1, 1, 1, 3), (4, 5, 3)])
def test_elementwise_with_a_constant_on_either_side(
    operator: str, wanted: np.ufunc, shape: tuple[int, ...]
) -> None:
    values, constant = maps(4, 5, 3) + 9, floats(*shape) + np.float32(5)
    weights = {"c": constant}
    after = run([node("y", operator, "in", "c")], weights, values)
    before = run([node("y", operator, "c", "in")], weights, values)
    np.testing.assert_allclose(after, wanted(values, constant), rtol=1e-5)
    np.testing.assert_allclose(before, wanted(constant, values), rtol=1e-5)


def test_elementwise_of_two_tensors_and_of_flat_ones() -> None:
    values, flat = maps(3, 3, 2), floats(4, 6)
    nodes = [node("r", "Relu", "in"), node("s", "Sub", "in", "r:0")]
    np.testing.assert_allclose(run(nodes, {}, values), values - np.maximum(values, 0), atol=1e-6)
    constant = floats(6)
    answer = run([node("s", "Mul", "in", "c")], {"c": constant}, flat)
    np.testing.assert_allclose(answer, flat * constant, rtol=1e-6)


@pytest.mark.parametrize(
    ("operator", "wanted"),
    [
        ("Identity", lambda x: x),
        ("Relu", lambda x: np.maximum(x, 0)),
        ("Relu6", lambda x: np.clip(x, 0, 6)),
        ("Sigmoid", lambda x: 1 / (1 + np.exp(-x))),
        ("Softmax", lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
        ("Tanh", np.tanh),
    ],
)
@pytest.mark.parametrize("values", [maps(3, 4, 5) * 5, floats(3, 7) * 5])
def test_activations(operator: str, wanted: Any, values: np.ndarray) -> None:
    answer = run([node("y", operator, "in")], {}, values)
    np.testing.assert_allclose(answer, wanted(values), atol=1e-5)


@pytest.mark.parametrize(
    ("fused", "activate"),
    [
        ([], lambda x: x),
        (["BiasAdd"], lambda x: x),
        (["BiasAdd", "Relu"], lambda x: np.maximum(x, 0)),
        (["BiasAdd", "Relu6"], lambda x: np.clip(x, 0, 6)),
    ],
)
def test_convolution_with_what_is_fused_to_it(fused: list[str], activate: Any) -> None:
    values, kernel, bias = maps(7, 9, 2) * 3, floats(3, 3, 2, 4), floats(4)
    inputs = ["in", "k", *(["b"] if fused else [])]
    made = node("c", "_FusedConv2D", *inputs, fused_ops=fused, dilations=[1, 1, 1, 1], **WINDOW)
    answer = run([made], {"k": kernel, "b": bias}, values)
    want = np.einsum("nhwiyx,yxio->nhwo", windows(values, 3, 2), kernel) + (bias if fused else 0)
    np.testing.assert_allclose(answer, activate(want), atol=1e-4)


@pytest.mark.parametrize(("side", "before", "after"), [(8, 0, 1), (7, 1, 1)])
def test_same_padding_goes_below_and_right_first(side: int, before: int, after: int) -> None:
    values, kernel = maps(side, side, 2), floats(3, 3, 2, 4)
    padded = np.pad(values, ((0, 0), (before, after), (before, after), (0, 0)))
    want = np.einsum("nhwiyx,yxio->nhwo", windows(padded, 3, 2), kernel)
    answer = run(
        [node("c", "Conv2D", "in", "k", **WINDOW | {"padding": "SAME"})], {"k": kernel}, values
    )
    np.testing.assert_allclose(answer, want, atol=1e-4)


@pytest.mark.parametrize("operator", ["DepthwiseConv2dNative", "FusedDepthwiseConv2dNative"])
def test_depthwise_convolution(operator: str) -> None:
    values, kernel = maps(6, 6, 2), floats(3, 3, 2, 3)
    answer = run([node("d", operator, "in", "k", **WINDOW)], {"k": kernel}, values)
    want = np.einsum("nhwiyx,yxim->nhwim", windows(values, 3, 2), kernel)
    np.testing.assert_allclose(answer, want.reshape(2, *want.shape[1:3], 6), atol=1e-4)


@pytest.mark.parametrize(("operator", "wanted"), [("MaxPool", np.max), ("AvgPool", np.mean)])
def test_pooling(operator: str, wanted: Any) -> None:
    values = maps(7, 7, 2)
    answer = run([node("p", operator, "in", ksize=[1, 3, 3, 1], **WINDOW)], {}, values)
    np.testing.assert_allclose(answer, wanted(windows(values, 3, 2), (4, 5)), atol=1e-5)


def test_same_pooling_does_not_count_what_it_pads() -> None:
    values = maps(4, 4, 1)
    padded = np.pad(values, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=np.nan)
    settings = WINDOW | {"padding": "SAME"}
    answer = run([node("p", "AvgPool", "in", ksize=[1, 3, 3, 1], **settings)], {}, values)
    np.testing.assert_allclose(answer, np.nanmean(windows(padded, 3, 2), (4, 5)), atol=1e-5)


def test_mean_over_the_picture_and_product() -> None:
    values, kernel, bias = maps(4, 6, 3), floats(3, 5), floats(5)
    weights = {"axes": np.array([1, 2], np.int32), "k": kernel, "b": bias}
    nodes = [
        node("m", "Mean", "in", "axes", keep_dims=False),
        node("d", "_FusedMatMul", "m", "k", "b", fused_ops=["BiasAdd", "Relu"]),
        node("kept", "Mean", "in", "axes", keep_dims=True),
    ]
    want = values.mean((1, 2)) @ kernel + bias
    answer = run(nodes, weights, values, "d")
    np.testing.assert_allclose(answer, np.maximum(want, 0), atol=1e-5)
    kept = run(nodes, weights, values, "kept")
    np.testing.assert_allclose(kept, values.mean((1, 2), keepdims=True), atol=1e-5)


def test_flattening_keeps_tensorflows_order_for_a_turned_product() -> None:
    values, kernel = maps(2, 3, 4), floats(5, 24)
    weights = {"shape": np.array([-1, 24], np.int32), "k": kernel}
    nodes = [
        node("f", "Reshape", "in", "shape"),
        node("d", "MatMul", "f", "k", transpose_b=True),
    ]
    np.testing.assert_allclose(
        run(nodes, weights, values), values.reshape(2, 24) @ kernel.T, atol=1e-5
    )


@pytest.mark.parametrize("axis", [3, -1, 1])
def test_concatenation(axis: int) -> None:
    values = maps(3, 4, 2)
    nodes = [node("r", "Relu", "in"), node("c", "ConcatV2", "in", "r", "axis")]
    answer = run(nodes, {"axis": np.array(axis, np.int32)}, values)
    np.testing.assert_allclose(answer, np.concatenate([values, np.maximum(values, 0)], axis))


def test_bilinear_doubling_repeats_the_last_row() -> None:
    values = maps(3, 3, 2)
    answer = run(
        [node("r", "ResizeBilinear", "in", "size")], {"size": np.array([6, 6], np.int32)}, values
    )
    low = np.arange(6) / 2
    near, far, part = low.astype(int), np.minimum(low.astype(int) + 1, 2), low % 1
    rows = values[:, near] * (1 - part)[:, None, None] + values[:, far] * part[:, None, None]
    want = rows[:, :, near] * (1 - part)[:, None] + rows[:, :, far] * part[:, None]
    np.testing.assert_allclose(answer, want, atol=1e-5)


def test_what_no_target_needs_is_left_out() -> None:
    values = maps(2, 2, 1)
    nodes = [node("y", "Relu", "in"), node("later", "TopKV2", "y")]
    np.testing.assert_array_equal(run(nodes, {}, values, "y"), np.maximum(values, 0))


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        (
            [node("y", "Einsum", "in")],
            r"y \(Einsum\) is of an unknown operator; known are .*Conv2D",
        ),
        ([node("y", "Relu", "gone")], "not a whole graph model: KeyError\\('gone'\\)"),
        ([node("y", "Relu", "in:1")], "in:1"),
        ([node("y", "Relu", "in", "^in")], r"\^in"),
        ([node("a", "Relu", "y"), node("y", "Relu", "a")], "control flow"),
        ([node("y", "Relu", "c")], "constant"),
        ([node("y", "Conv2D", "in", "in", **WINDOW)], "only as a constant"),
        ([node("y", "Conv2D", "in", "c", **WINDOW | {"data_format": "NCHW"})], "NCHW"),
        ([node("y", "Conv2D", "in", "c", **WINDOW | {"padding": "EXPLICIT"})], "EXPLICIT"),
        ([node("y", "_FusedConv2D", "in", "c", fused_ops=["Elu"], **WINDOW)], "Elu"),
        ([node("y", "MatMul", "in", "c")], "4 dimensions"),
        ([node("y", "Reshape", "in", "four")], "four dimensions"),
        ([node("y", "Mean", "in", "three", keep_dims=False)], r"averages over \[3\]"),
        ([node("y", "ResizeBilinear", "in", "four", align_corners=True)], "align_corners"),
        ([placeholder("more", 2), node("y", "Relu", "more")], "reads more too"),
    ],
)
def test_what_is_not_known_is_refused_by_name(nodes: list[dict[str, Any]], said: str) -> None:
    weights = {
        "c": floats(3, 3, 2, 2),
        "four": np.array([-1, 2, 2, 1], np.int32),
        "three": np.array([3], np.int32),
    }
    with pytest.raises(ConversionError, match=said):
        convert(nodes, weights)
