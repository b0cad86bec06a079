"""dlib's primitives byte by byte, and the network's geometry on a small one made by hand."""

from dataclasses import replace

import numpy as np
import onnxruntime as ort
import pytest

from beholden.catalog.convert.dlib_format import Layer, Network, Reader, parse
from beholden.catalog.convert.dlib_graph import build
from beholden.catalog.convert.graph import ConversionError, Graph
from beholden.core.models import TensorSpec

RELU, ADD = Layer("relu_"), Layer("add_prev_")


def integer(value: int) -> bytes:
    """As dlib writes it."""
    size = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([size | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(size, "little")


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"\x01\x00", 0),
        (b"\x01\x07", 7),
        (b"\x81\x07", -7),
        (b"\x02\x00\x01", 256),
        (b"\x08" + b"\xff" * 8, 2**64 - 1),
    ],
)
def test_integers(raw: bytes, value: int) -> None:
    reader = Reader(raw)
    assert reader.integer() == value
    reader.end()


@pytest.mark.parametrize("raw", [b"", b"\x00", b"\x09" + b"\0" * 9, b"\x11\x00", b"\x02\x00"])
def test_no_integers(raw: bytes) -> None:
    with pytest.raises(ConversionError, match="byte"):
        Reader(raw).integer()


def test_other_primitives() -> None:
    assert Reader(integer(-3) + integer(-2)).number() == -0.75
    assert Reader(integer(5) + integer(1)).number() == 10.0
    assert Reader(b"1").boolean() is True
    assert Reader(b"0").boolean() is False
    assert Reader(integer(3) + b"con").name() == "con"
    raw = b"".join(map(integer, (2, 1, 2, 1, 3))) + np.arange(6, dtype="<f4").tobytes()
    np.testing.assert_array_equal(Reader(raw).tensor().ravel(), np.arange(6))


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (integer(1) + integer(32001), Reader.number),
        (b"\x01", Reader.boolean),
        (integer(65) + b"x" * 65, Reader.name),
        (integer(-1), Reader.name),
        (integer(9) + b"short", Reader.name),
        (b"".join(map(integer, (3, 1, 1, 1, 1))), Reader.tensor),
        (b"".join(map(integer, (2, 1, 1, 1, 2))) + b"\0" * 4, Reader.tensor),
        (b"".join(map(integer, (2, -1, 1, -1, 1))), Reader.tensor),
        (b"".join(map(integer, (2, *[2**62] * 4))), Reader.tensor),
        (b"".join(map(integer, (2, 1, 1, 1, 1))), Reader.aliases),
    ],
)
def test_no_other_primitives(raw: bytes, read) -> None:
    with pytest.raises(ConversionError):
        read(Reader(raw))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "the file ends"),
        (b"PK\x03\x04 a zip file", "no integer at byte 0"),
        (integer(1) + integer(5) + b"other", "ends in other"),
        (integer(2), "loss version 2"),
    ],
)
def test_another_file_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(ConversionError, match=said):
        parse(raw)


def convolution(
    rng: np.random.Generator, outputs: int, inputs: int, size: int, stride: int, padding: int
) -> list[Layer]:
    """A convolution and its affine layer, with random parameters."""
    weights = rng.normal(size=outputs * inputs * size * size + outputs).astype(np.float32)
    affine = rng.normal(size=2 * outputs).astype(np.float32)
    window = (size, size, stride, stride, padding, padding)
    return [Layer("con_4", window, outputs, weights), Layer("affine_", parameters=affine)]


@pytest.fixture
def network() -> Network:
    """Stem, one plain block, one that halves an 8 x 8 map to 4 x 4 beside 3 x 3, mean, last layer."""
    rng = np.random.default_rng(1)
    last = rng.normal(size=3 * 5).astype(np.float32)
    return Network(
        mean=(10.0, 20.0, 30.0),
        side=20,
        layers=(
            *convolution(rng, 2, 3, 3, 1, 0),
            RELU,
            Layer("max_pool_2", (3, 3, 2, 2, 0, 0)),
            *(*convolution(rng, 2, 2, 3, 1, 1), RELU, *convolution(rng, 2, 2, 3, 1, 1), ADD, RELU),
            *(*convolution(rng, 3, 2, 3, 2, 0), RELU, *convolution(rng, 3, 3, 3, 1, 1)),
            Layer("avg_pool_2", (2, 2, 2, 2, 0, 0)),
            ADD,
            RELU,
            Layer("avg_pool_2", (0, 0, 1, 1, 0, 0)),
            Layer("fc_2", outputs=5, parameters=last),
        ),
    )


# The same network again in plain numpy, one [C,H,W] map at a time.


def convolved(maps: np.ndarray, layer: Layer, affine: Layer) -> np.ndarray:
    size, _, stride, _, padding, _ = layer.window
    weights = layer.parameters[: -layer.outputs].reshape(layer.outputs, -1, size, size)
    padded = np.pad(maps, ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (1, 2))
    sums = np.einsum("ihwyx,oiyx->ohw", windows[:, ::stride, ::stride], weights)
    gamma, beta = affine.parameters.reshape(2, -1, 1, 1)
    return gamma * (sums + layer.parameters[-layer.outputs :].reshape(-1, 1, 1)) + beta


def pooled(maps: np.ndarray, layer: Layer, reduce) -> np.ndarray:
    size, _, stride, *_ = layer.window
    windows = np.lib.stride_tricks.sliding_window_view(maps, (size, size), (1, 2))
    return reduce(windows[:, ::stride, ::stride], axis=(3, 4))


def grown(maps: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    return np.pad(maps, [(0, more - less) for more, less in zip(shape, maps.shape, strict=True)])


def expected(network: Network, chip: np.ndarray) -> np.ndarray:
    layers = network.layers
    maps = chip.transpose(2, 0, 1) - np.array(network.mean).reshape(3, 1, 1)
    maps = np.maximum(convolved(maps / 256, *layers[0:2]), 0)
    maps = pooled(maps, layers[3], np.max)
    branch = convolved(np.maximum(convolved(maps, *layers[4:6]), 0), *layers[7:9])
    maps = np.maximum(branch + maps, 0)
    branch = convolved(np.maximum(convolved(maps, *layers[11:13]), 0), *layers[14:16])
    shortcut = pooled(maps, layers[16], np.mean)
    assert (maps.shape, branch.shape, shortcut.shape) == ((2, 8, 8), (3, 3, 3), (2, 4, 4))
    shape = tuple(np.maximum(branch.shape, shortcut.shape))
    maps = np.maximum(grown(branch, shape) + grown(shortcut, shape), 0)
    return maps.mean((1, 2)) @ layers[20].parameters.reshape(3, 5)


def embed(network: Network, chips: np.ndarray) -> np.ndarray:
    graph = Graph("small")
    build(graph, network, "chips", "embedding")
    side = network.side
    model = graph.model(
        [TensorSpec("chips", "uint8", (-1, side, side, 3))],
        [TensorSpec("embedding", "float32", (-1, 5))],
    )
    return ort.InferenceSession(model.SerializeToString()).run(None, {"chips": chips})[0]


def test_a_small_network_answers_as_plain_numpy_does(network: Network) -> None:
    chips = np.random.default_rng(2).integers(0, 256, (3, 20, 20, 3), dtype=np.uint8)
    answers = embed(network, chips)
    np.testing.assert_allclose(answers, [expected(network, chip) for chip in chips], atol=1e-4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda layers: layers[:-1], "is nothing, expected fc_2"),
        (lambda layers: layers[1:], "is affine_, expected con_4"),
        (lambda layers: (*layers, RELU), "relu_ after the last layer"),
        (lambda layers: (*layers[:3], *layers[4:]), "expected max_pool_2"),
        (
            lambda layers: (replace(layers[0], parameters=layers[0].parameters[1:]), *layers[1:]),
            "parameters where a layer of shape",
        ),
    ],
)
def test_another_network_is_refused(network: Network, change, said: str) -> None:
    with pytest.raises(ConversionError, match=said):
        embed(replace(network, layers=change(network.layers)), np.zeros((1, 20, 20, 3), np.uint8))
