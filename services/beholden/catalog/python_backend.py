"""A second repository over the same ONNX files, for a Triton that has only its Python backend.

NVIDIA's container image serves the catalogue's own layout with its ONNX Runtime backend. The server
in the PyPI package nvidia-pytriton cannot: for it each model gets a `model.py` that runs the file.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from beholden.core.models import ModelSpec, TensorSpec

_TYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "int8": "INT8",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
}
_MODEL = Path(__file__).with_name("triton_model.py")


def lay_out(
    models: Sequence[ModelSpec], repository: Path, target: Path, *, instances: int, threads: int
) -> None:
    """Makes `target` a repository of exactly `models`, its ONNX files links into `repository`.

    `instances` processes run each model, each run on `threads` threads. What lay in `target` is
    replaced in one move. Raises OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as name:
        complete, replaced = Path(name) / "complete", Path(name) / "replaced"
        complete.mkdir()
        for model in models:
            folder = complete / model.name / str(model.version)
            folder.mkdir(parents=True)
            source = repository / model.name / str(model.version) / "model.onnx"
            (folder / "model.onnx").symlink_to(source.resolve(strict=True))
            shutil.copyfile(_MODEL, folder / "model.py")
            written = config(model, instances=instances, threads=threads)
            (folder.parent / "config.pbtxt").write_text(written, encoding="utf-8")
        if target.exists():
            target.rename(replaced)
        complete.rename(target)


def config(model: ModelSpec, *, instances: int, threads: int) -> str:
    """The model's `config.pbtxt`.

    Requests wait at most a millisecond for company; one whose caller's time is up before its turn
    is not run.
    """
    return "\n".join(
        [
            f'name: "{model.name}"',
            'backend: "python"',
            f"max_batch_size: {model.max_batch}",
            f"version_policy {{ specific {{ versions: [ {model.version} ] }} }}",
            *_tensors("input", model.inputs),
            *_tensors("output", model.outputs),
            "dynamic_batching {",
            "  max_queue_delay_microseconds: 1000",
            "  default_queue_policy { timeout_action: REJECT allow_timeout_override: true }",
            "}",
            f"instance_group [ {{ kind: KIND_AUTO count: {instances} }} ]",
            f'parameters {{ key: "threads" value {{ string_value: "{threads}" }} }}',
            f'parameters {{ key: "digest" value {{ string_value: "{model.digest}" }} }}',
            "",
        ]
    )


def _tensors(kind: str, specs: Sequence[TensorSpec]) -> Iterator[str]:
    for spec in specs:
        dims = ", ".join(map(str, spec.shape[1:]))
        yield (
            f'{kind} [ {{ name: "{spec.name}" data_type: TYPE_{_TYPES[spec.dtype]} '
            f"dims: [ {dims} ] }} ]"
        )
