"""dlib's serialised face recognition network (`dlib_face_recognition_resnet_model_v1.dat`), read as layers.

The format was read off the file: a stream of self-describing numbers, outermost wrapper first, then
the layers from the picture outwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from beholden.catalog.convert.graph import ConversionError

_INT_BYTES = 0x0F
_INT_RESERVED = 0x70
_INT_NEGATIVE = 0x80
_MAX_INT_BYTES = 8
_MAX_EXPONENT = 2000  # beyond are dlib's codes for infinity and NaN, which no weight may be
_MAX_NAME = 64

_LAYER, _WRAPPER, _INNERMOST = 2, 1, 3
"""Versions of a layer, of a tag or skip (which store nothing), and of the layer next to the input."""


class Reader:
    """A cursor over dlib's primitives."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def integer(self) -> int:
        """A control byte (how many bytes, and the sign), then the magnitude in little endian."""
        control = self._take(1)[0]
        size = control & _INT_BYTES
        if not 1 <= size <= _MAX_INT_BYTES or control & _INT_RESERVED:
            raise ConversionError(f"no integer at byte {self._at - 1}")
        magnitude = int.from_bytes(self._take(size), "little")
        return -magnitude if control & _INT_NEGATIVE else magnitude

    def number(self) -> float:
        """Mantissa and exponent to the base 2."""
        mantissa, exponent = self.integer(), self.integer()
        if abs(exponent) > _MAX_EXPONENT:
            raise ConversionError(f"no finite number before byte {self._at}")
        return float(mantissa) * 2.0**exponent

    def boolean(self) -> bool:
        """ASCII 0 or 1."""
        value = bytes(self._take(1))
        if value not in {b"0", b"1"}:
            raise ConversionError(f"no boolean at byte {self._at - 1}")
        return value == b"1"

    def name(self) -> str:
        """A short string after its length."""
        size = self.integer()
        if not 0 <= size <= _MAX_NAME:
            raise ConversionError(f"no name before byte {self._at}")
        return bytes(self._take(size)).decode("ascii", "replace")

    def tensor(self) -> NDArray[np.float32]:
        """Version 2, four sizes, then float32 in little endian; a view of the data."""
        self.expect(2, "tensor version")
        shape = [self.integer() for _ in range(4)]
        if min(shape) < 0:
            raise ConversionError(f"a tensor of negative size before byte {self._at}")
        raw = self._take(4 * int(np.prod(shape, dtype=object)))
        return np.frombuffer(raw, "<f4").reshape(shape)

    def aliases(self) -> None:
        """Twice version 1 and four sizes: where in the parameters either half lies, which we know."""
        for _ in range(2):
            self.expect(1, "alias version")
            for _ in range(4):
                self.integer()

    def expect(self, value: int, what: str) -> None:
        """Read an integer that can only be `value`."""
        if (found := self.integer()) != value:
            raise ConversionError(f"{what} {found} before byte {self._at}, expected {value}")

    def end(self) -> None:
        """Nothing may be left."""
        if left := len(self._data) - self._at:
            raise ConversionError(f"{left} bytes after the last layer")

    def _take(self, size: int) -> memoryview:
        if size > len(self._data) - self._at:
            raise ConversionError(f"the file ends at byte {len(self._data)}, inside a value")
        self._at += size
        return self._data[self._at - size : self._at]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: `kind` as dlib names it, its window, and its parameters.

    `window` is the height and width of the kernel, the strides and the padding, y before x, in
    pixels. `parameters` is flat, as dlib keeps it: weights then biases, or gamma then beta; the
    first `outputs` channels are what a convolution or the last layer answers.
    """

    kind: str
    window: tuple[int, ...] = ()
    outputs: int = 0
    parameters: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))


@dataclass(frozen=True, slots=True)
class Network:
    """The channels' means (R, G, B, 0-255), the picture's side in pixels, the layers from it outwards."""

    mean: tuple[float, float, float]
    side: int
    layers: tuple[Layer, ...]


def parse(data: bytes) -> Network:
    """Read the whole file.

    Raises:
        ConversionError: it is not this network; says at which byte.
    """
    reader = Reader(data)
    reader.expect(1, "loss version")
    if (loss := reader.name()) != "loss_metric_2":
        raise ConversionError(f"a network that ends in {loss}, not in the loss this one has")
    for _ in range(2):
        reader.number()  # the loss's margin and distance
    count = _count_layers(reader)
    if (kind := reader.name()) != "input_rgb_image_sized":
        raise ConversionError(f"a network that begins with {kind}, not with a sized RGB picture")
    mean = (reader.number(), reader.number(), reader.number())
    side = reader.integer()
    reader.expect(side, "picture width")
    layers = tuple(_layer(reader, innermost=number == 0) for number in range(count))
    reader.end()
    return Network(mean, side, layers)


def _count_layers(reader: Reader) -> int:
    """Read the versions of everything from the outside in; the innermost layer has its own."""
    count = 1
    while (version := reader.integer()) != _INNERMOST:
        if version not in {_LAYER, _WRAPPER}:
            raise ConversionError(f"a layer of the unknown version {version}")
        count += version == _LAYER
    return count


def _layer(reader: Reader, *, innermost: bool) -> Layer:
    """Read one layer and the bookkeeping after it, of which nothing matters for inference."""
    layer = _details(reader)
    for _ in range(3):
        reader.boolean()
    for _ in range(3):
        if reader.tensor().size:
            raise ConversionError(f"a cached tensor in {layer.kind}, which should be empty")
    if innermost:
        reader.integer()
    return layer


def _details(reader: Reader) -> Layer:
    """Read what a layer of its kind stores."""
    kind = reader.name()
    match kind:
        case "relu_" | "add_prev_":
            return Layer(kind)
        case "max_pool_2" | "avg_pool_2":
            return Layer(kind, _integers(reader, 6))
        case "affine_":
            parameters = reader.tensor()
            reader.aliases()
            reader.integer()  # for a channel or for a value
            return Layer(kind, parameters=parameters.ravel())
        case "con_4":
            parameters = reader.tensor()
            outputs, *window = _integers(reader, 7)
            reader.aliases()
            _learning_rates(reader)
            return Layer(kind, tuple(window), outputs, parameters.ravel())
        case "fc_2":
            outputs, _ = _integers(reader, 2)
            parameters = reader.tensor()
            reader.aliases()
            reader.expect(1, "bias mode")
            _learning_rates(reader)
            return Layer(kind, outputs=outputs, parameters=parameters.ravel())
    raise ConversionError(f"a layer of the unknown kind {kind!r}")


def _integers(reader: Reader, count: int) -> tuple[int, ...]:
    return tuple(reader.integer() for _ in range(count))


def _learning_rates(reader: Reader) -> None:
    """Multipliers of learning rate and weight decay, for weights and for biases."""
    for _ in range(4):
        reader.number()
