"""A TensorFlow.js model as it lies on disk: `model.json` and the weights its manifest describes.

The same manifest comes with layers models (`tfjs_layers`) and with graph models.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholden.catalog.convert.graph import ConversionError

_PLAIN = {"float32": "<f4", "int32": "<i4"}
_QUANTIZED = {"uint8": "<u1", "uint16": "<u2"}

Weights = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class TfjsModel:
    """`topology` is model.json's `modelTopology`; `weights` are full precision, by their names."""

    topology: Mapping[str, Any]
    weights: Weights


def read(document: Mapping[str, Any], files: Mapping[str, bytes]) -> TfjsModel:
    """A model out of the parsed `model.json` and the weight files that it names.

    Raises:
        ConversionError: something is missing, or a weight is of a kind not known.
    """
    try:
        topology, groups = document["modelTopology"], document["weightsManifest"]
        weights: dict[str, NDArray[Any]] = {}
        for group in groups:
            data = b"".join(files[path] for path in group["paths"])
            weights |= _weights(group["weights"], data)
    except KeyError as error:
        raise ConversionError(f"model.json or the files beside it lack {error}") from error
    return TfjsModel(topology, weights)


def _weights(specs: Sequence[Mapping[str, Any]], data: bytes) -> dict[str, NDArray[Any]]:
    """One group of the manifest: its weights lie in `data` one after the other."""
    weights, at = {}, 0
    for spec in specs:
        stored = np.dtype(_stored_dtype(spec))
        count = math.prod(spec["shape"])
        if at + count * stored.itemsize > len(data):
            raise ConversionError(f"the weight files end inside {spec['name']}")
        raw = np.frombuffer(data, stored, count, at)
        weights[spec["name"]] = _restored(raw, spec).reshape(spec["shape"])
        at += raw.nbytes
    if at != len(data):
        raise ConversionError(f"the weight files are {len(data) - at} bytes longer than described")
    return weights


def _stored_dtype(spec: Mapping[str, Any]) -> str:
    """How a weight lies in the file."""
    quantization = spec.get("quantization")
    if quantization is None and spec["dtype"] in _PLAIN:
        return _PLAIN[spec["dtype"]]
    if quantization is not None and spec["dtype"] == "float32":
        if quantization["dtype"] == "float16":
            return "<f2"
        if quantization["dtype"] in _QUANTIZED:
            return _QUANTIZED[quantization["dtype"]]
    raise ConversionError(f"{spec['name']} is stored as {spec['dtype']}, {quantization}: not known")


def _restored(raw: NDArray[Any], spec: Mapping[str, Any]) -> NDArray[Any]:
    """A weight in the precision it is used in; JavaScript computes in double precision, so we do."""
    quantization = spec.get("quantization")
    if quantization is None or quantization["dtype"] == "float16":
        return raw.astype(spec["dtype"])
    exact: NDArray[np.float64] = raw * np.float64(quantization["scale"]) + quantization["min"]
    return exact.astype(np.float32)
