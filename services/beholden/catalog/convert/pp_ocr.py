"""PP-OCR's text recogniser from its published ONNX file, answering characters instead of classes.

Upstream answers the probability of each of 18,710 classes at every step, 3 MB for one line; here
the likeliest class is found in the graph, and answered as the Unicode code point that it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx

from beholden.catalog.convert.graph import ConversionError
from beholden.catalog.convert.published import behind_pixels
from beholden.catalog.entries import ModelEntry

BLANK = 0
"""The code point that is answered where there is no character."""


def recogniser(entry: ModelEntry, files: Mapping[str, Path]) -> onnx.ModelProto:
    """Upstream's graph between a picture of a line, and code points with their probabilities.

    Raises:
        ConversionError: the file is another graph than the one this was written for.
    """
    model = onnx.load(next(iter(files.values())))
    known = {entry.key: entry.value for entry in model.metadata_props}.get("character", "")
    characters = known.split("\n")
    if len(model.graph.output) != 1 or any(len(one) != 1 for one in characters):
        raise ConversionError("one output and a dictionary of single characters were expected")
    # CTC's blank comes before the dictionary, the space behind it.
    points = np.array([BLANK, *map(ord, characters), ord(" ")], np.int32)

    graph = behind_pixels(entry, files, {model.graph.output[0].name: "classes"})
    best = graph.add("ArgMax", ["classes"], "best", axis=2, keepdims=0)
    graph.add("Gather", [graph.constant("points", points), best], entry.outputs[0].name, axis=0)
    graph.add("ReduceMax", ["classes"], entry.outputs[1].name, axes=[2], keepdims=0)
    return graph.model(entry.inputs, entry.outputs)
