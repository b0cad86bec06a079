"""Small catalogues, models and archives that are real in every respect but size."""

import hashlib
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml

from beholden.catalog.convert.graph import Graph
from beholden.catalog.entries import Catalog, load_catalog
from beholden.core.models import TensorSpec

ROW = TensorSpec("row", "float32", (-1, 3))
SUM = TensorSpec("sum", "float32", (-1, 3))


def onnx_model(add: float = 1.0) -> bytes:
    """A model that adds a number to rows of three."""
    graph = Graph("adder")
    graph.add("Add", ["row", graph.constant("addend", np.array(add, np.float32))], "sum")
    return graph.model([ROW], [SUM]).SerializeToString(deterministic=True)


def pin(content: bytes, **more: Any) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), **more}


def entry(name: str = "adder", content: bytes | None = None, **changed: Any) -> dict[str, Any]:
    """A catalogue entry for `content` (by default `onnx_model()`), found in a mirror."""
    tensors = {"dtype": "float32", "shape": [-1, 3]}
    return {
        "name": name,
        "version": 1,
        "role": "arithmetic",
        "licence": "MIT",
        "description": "Adds.",
        "training_data": "None.",
        "homepage": "https://example.org",
        "measured": "Not.",
        "converter": "onnx@1",
        "files": [pin(onnx_model() if content is None else content, name="adder.onnx")],
        "sources": [{"kind": "mirror"}],
        "inputs": [{"name": "row", **tensors}],
        "outputs": [{"name": "sum", **tensors}],
        "max_batch": 4,
        **changed,
    }


def catalog(folder: Path, *entries: dict[str, Any]) -> Catalog:
    """Write a catalogue to `folder` and load it."""
    for one in entries:
        (folder / one["name"]).mkdir(parents=True, exist_ok=True)
        (folder / one["name"] / "config.pbtxt").write_text(f'name: "{one["name"]}"\n')
    path = folder / "catalog.yaml"
    path.write_text(yaml.safe_dump({"models": list(entries)}))
    return load_catalog(path)


def mirror(folder: Path, *contents: bytes) -> Path:
    """A mirror folder; files are called nothing in particular."""
    (folder / "deep").mkdir(parents=True)
    for number, content in enumerate(contents):
        (folder / "deep" / f"{number}.bin").write_bytes(content)
    return folder


def wheel(name: str, version: str, files: dict[str, bytes]) -> bytes:
    """A wheel that pip accepts."""
    info = f"{name}-{version}.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return out.getvalue()


def tarball(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    """A gzipped tar with plain files, and symbolic links by name and target."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for path, target in (links or {}).items():
            info = tarfile.TarInfo(path)
            info.type, info.linkname = tarfile.SYMTYPE, target
            archive.addfile(info)
    return out.getvalue()


def load(content: bytes) -> onnx.ModelProto:
    return onnx.load_from_string(content)
