"""The models of @vladmandic/human: TensorFlow.js graph models over pictures and cut-out faces.

What each wants of its pixels is read in that package's own code and in the code of the models'
authors; where the two differ, the authors are followed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from beholden.catalog.convert import tfjs_graph, tfjs_model
from beholden.catalog.convert.graph import ConversionError, Graph
from beholden.catalog.convert.published import normalised
from beholden.catalog.entries import ModelEntry

_LUMA = (0.2989, 0.5870, 0.1140)
"""Shares of red, green and blue in a grey value (ITU-R BT.601), as the package has them."""


def _grey(entry: ModelEntry, graph: Graph) -> str:
    """One channel in [-1, 1]."""
    kernel = np.array(_LUMA, np.float32).reshape(1, 3, 1, 1) * np.float32(2 / 255)
    inputs = [
        graph.pixels(entry.inputs[0].name),
        graph.constant("pixels/luma", kernel),
        graph.constant("pixels/offset", np.array([-1], np.float32)),
    ]
    return graph.add("Conv", inputs, "pixels/grey")


@dataclass(frozen=True, slots=True)
class Human:
    """A converter of one of the package's models: a JSON file and the weights beside it.

    `source` is the node that stands for the pixels, `targets` are its nodes by the catalogue's names
    for what they make, `prepare` appends what the source is to be.
    """

    source: str
    targets: Mapping[str, str]
    prepare: Callable[[ModelEntry, Graph], str] = normalised

    def __call__(self, entry: ModelEntry, files: Mapping[str, Path]) -> onnx.ModelProto:
        """The model between uint8 pictures and the answers that the catalogue names.

        Raises:
            ConversionError: the files hold something else.
        """
        return self.built(entry, files).model(entry.inputs, entry.outputs)

    def built(self, entry: ModelEntry, files: Mapping[str, Path]) -> Graph:
        """The graph alone, for a converter that goes on from its targets. Raises ConversionError."""
        contents = {name: path.read_bytes() for name, path in files.items()}
        topology = next((name for name in contents if name.endswith(".json")), "")
        try:
            document = json.loads(contents[topology])
        except (ValueError, KeyError) as error:
            raise ConversionError(f"no TensorFlow.js model in {', '.join(files)}") from error
        graph = Graph(entry.name)
        source = self.prepare(entry, graph)
        model = tfjs_model.read(document, contents)
        targets = {node: name for name, node in self.targets.items()}
        tfjs_graph.build(graph, model, {self.source: source}, targets)
        return graph


age_gender = Human("input_1", {"ages": "age_pred/Softmax", "masculine": "gender_pred/Sigmoid"})
antispoof = Human("conv2d_input", {"real": "Identity"})
centernet = Human("tower_0/images", {"heatmap": "tower_0/keypoints", "reach": "tower_0/wh"})
emotion = Human("input_1", {"emotions": "Identity"}, _grey)
liveness = Human("conv2d_1_input", {"liveness": "Identity"})
