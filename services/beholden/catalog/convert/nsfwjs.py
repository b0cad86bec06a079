"""The nsfwjs models (infinitered/nsfwjs): TensorFlow.js layers models over RGB pictures in [0, 1].

Upstream's repository holds `model.json` and its weight files; the npm package holds the same,
each wrapped in a JavaScript module, the weights as base64.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx

from beholden.catalog.convert import tfjs_layers, tfjs_model
from beholden.catalog.convert.graph import ConversionError, Graph
from beholden.catalog.convert.javascript import exported
from beholden.catalog.entries import ModelEntry

_TOPOLOGY = "model.json"
_WRAPPED = ".min.js"


def convert(entry: ModelEntry, files: Mapping[str, Path]) -> onnx.ModelProto:
    """The model between a uint8 picture and the probability of each class.

    Raises:
        ConversionError: the files hold something else.
    """
    try:
        contents = dict(_unwrapped(path) for path in files.values())
        document = json.loads(contents[_TOPOLOGY])
    except (ValueError, KeyError) as error:
        raise ConversionError(f"no TensorFlow.js model in {', '.join(files)}: {error}") from error
    graph = Graph(entry.name)
    scale = graph.constant("image/scale", np.array(1 / 255, np.float32))
    scaled = graph.add("Mul", [graph.pixels("image"), scale], "image/scaled")
    tfjs_layers.build(graph, tfjs_model.read(document, contents), scaled, "probabilities")
    return graph.model(entry.inputs, entry.outputs)


def _unwrapped(path: Path) -> tuple[str, bytes]:
    """A file under its upstream name, out of its JavaScript where it is wrapped."""
    if not path.name.endswith(_WRAPPED):
        return path.name, path.read_bytes()
    name = path.name.removesuffix(_WRAPPED)
    value = exported(path.read_text(encoding="utf-8"))
    if isinstance(value, str):
        return name, base64.b64decode(value, validate=True)
    return f"{name}.json", json.dumps(value).encode()
