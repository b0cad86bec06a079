"""A TensorFlow.js graph model (a frozen TensorFlow graph without control flow) as ONNX.

TensorFlow keeps channels last; here the channels of a tensor with four dimensions follow the batch
throughout, so that only weights and the tensors that a model flattens are turned.
"""

from __future__ import annotations

from collections.abc import Mapping

from beholden.catalog.convert.graph import ConversionError, Graph
from beholden.catalog.convert.tfjs_graph_builder import Builder, Node
from beholden.catalog.convert.tfjs_graph_operators import OPERATORS
from beholden.catalog.convert.tfjs_model import TfjsModel


def build(
    graph: Graph, model: TfjsModel, sources: Mapping[str, str], targets: Mapping[str, str]
) -> None:
    """Append what the model's nodes `targets` need; the tensors get the names that are given there.

    `sources` says which float32 tensor stands for a placeholder, or for another node that makes
    pictures: [N,C,H,W] where it has four dimensions. So have the targets. What no target needs is left
    out, whatever it is made of.

    Raises:
        ConversionError: an operator or a setting that is needed is not known here, or the graph is
            not whole.
    """
    try:
        nodes = {node["name"]: node for node in model.topology["node"]}
        builder = Builder(graph, OPERATORS, model, nodes, sources, targets)
        for name in builder.needed():
            builder.append(Node(nodes[name]))
    except (KeyError, ValueError, TypeError) as error:
        raise ConversionError(f"not a whole graph model: {error!r}") from error
