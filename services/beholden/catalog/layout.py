"""How a model lies in the Triton repository: which files stand around its ONNX file."""

from __future__ import annotations

from beholden.catalog.entries import Catalog, ModelEntry


def weights_path(entry: ModelEntry) -> str:
    """Where the ONNX file lies in the model's folder."""
    return f"{entry.version}/model.onnx"


def layout(catalog: Catalog, entry: ModelEntry) -> dict[str, bytes]:
    """The files around the ONNX file, by path in the model's folder.

    For Triton's onnxruntime and TensorRT backends that is the catalogue's own `config.pbtxt`. A
    backend that wants more (the python backend: its `model.py` and another configuration) is laid
    out by answering more here; a pull writes whatever this answers and records its digests.

    Raises:
        OSError: the catalogue has no configuration for the model.
    """
    return {"config.pbtxt": (catalog.root / entry.name / "config.pbtxt").read_bytes()}
