"""SqueezeNet from its published ONNX file, answering what it saw instead of what that is called."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx

from beholden.catalog.convert.published import behind_pixels
from beholden.catalog.entries import ModelEntry


def features(entry: ModelEntry, files: Mapping[str, Path]) -> onnx.ModelProto:
    """The mean of each map that goes into the last convolution, which is the classifier.

    Raises:
        ConversionError: the file is another graph than the one this was written for.
    """
    graph = behind_pixels(entry, files, {})
    last = graph.cut("Conv")
    graph.add("GlobalAveragePool", [last], "features/mean")
    graph.add("Flatten", ["features/mean"], "features/flat", axis=1)
    graph.add("Cast", ["features/flat"], entry.outputs[0].name, to=onnx.TensorProto.FLOAT)
    return graph.model(entry.inputs, entry.outputs)
