"""Google's MoveNet as @vladmandic/human carries it, with the reading of one person's points built in.

The published graph ends in steps that know a batch of one only; here they are told for any batch:
the person is where the centre map is highest, weighed by how near that is to the middle; from there
the regression says about where each point is; each lies where its own map is best near that.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx

from beholden.catalog.convert.graph import Graph
from beholden.catalog.convert.human import Human
from beholden.catalog.entries import ModelEntry

_CALL = "StatefulPartitionedCall"
_HEADS = Human(
    f"{_CALL}/stack",
    {
        "heat": f"{_CALL}/Sigmoid",
        "centre": f"{_CALL}/Sigmoid_1",
        "regression": f"{_CALL}/kpt_regress_0/conv2d_6/BiasAdd",
        "offset": f"{_CALL}/kpt_offset_0/conv2d_7/BiasAdd",
    },
)
_SIDE = 48
_POINTS = 17
_NEAR = 1.8  # cells; the less, the more what is near is preferred


def convert(entry: ModelEntry, files: Mapping[str, Path]) -> onnx.ModelProto:
    """The model between uint8 pictures of one person each and points [N,17,3]: y, x, confidence.

    Raises:
        ConversionError: the files hold something else.
    """
    graph = _HEADS.built(entry, files)
    _read(graph, entry.outputs[0].name)
    return graph.model(entry.inputs, entry.outputs)


def _read(graph: Graph, output: str) -> None:
    """Steps over the four heads [N,C,48,48]; in every tensor the cells are the last axis, y before x."""
    add = graph.add
    cells = np.indices((_SIDE, _SIDE), np.float32).reshape(2, -1)
    grid = graph.constant("cells", cells[None, None])
    places = graph.constant("cells/places", cells.T)
    near = graph.constant("cells/near", np.array([_NEAR], np.float32))
    pairs = graph.constant("pairs", np.array([1, _POINTS, 2, 1], np.int64))
    third = graph.constant("third", np.array([2], np.int64))

    def flat(head: str, *channels: int) -> str:
        shape = graph.constant(f"{head}/shape", np.array([0, *channels, -1], np.int64))
        return add("Reshape", [head, shape], f"{head}/flat")

    def place(index: str) -> str:
        """Where cells lie: indices [N,P,1] to [N,P,2,1]."""
        found = add("Gather", [places, index], f"{index}/places", axis=0)
        return add("Transpose", [found], f"{index}/place", perm=[0, 1, 3, 2])

    def at(head: str, index: str) -> str:
        """What a head [N,17,2,cells] says there."""
        one = add("Unsqueeze", [index, third], f"{index}/one")
        wide = add("Expand", [one, pairs], f"{index}/wide")
        return add("GatherElements", [flat(head, _POINTS, 2), wide], f"{head}/there", axis=3)

    middle = np.hypot(*(cells - _SIDE / 2)) + _NEAR
    weights = graph.constant("centre/weights", (1 / middle).astype(np.float32))
    weighed = add("Mul", [flat("centre", 1), weights], "centre/weighed")
    person = add("ArgMax", [weighed], "person", axis=2)
    expected = add("Add", [place(person), at("regression", person)], "expected")
    heat = flat("heat", _POINTS)
    away = add("ReduceL2", [add("Sub", [grid, expected], "shift")], "away", axes=[2], keepdims=0)
    likely = add("Div", [heat, add("Add", [away, near], "away/near")], "likely")
    best = add("ArgMax", [likely], "best", axis=2)
    exact = add("Add", [place(best), at("offset", best)], "exact")
    side = graph.constant("cells/side", np.array([_SIDE], np.float32))
    last = graph.constant("last", np.array([3], np.int64))
    points = add("Squeeze", [add("Div", [exact, side], "shares"), last], "places")
    sure = add("GatherElements", [heat, best], "sure", axis=2)
    add("Concat", [points, sure], output, axis=2)
