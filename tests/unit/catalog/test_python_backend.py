"""The repository for Triton's Python backend says what the specs say, and holds nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from beholden.catalog import python_backend
from beholden.core.models import ModelSpec, TensorSpec

MODEL = ModelSpec(
    name="m",
    version=3,
    role="test",
    inputs=(TensorSpec("x", "uint8", (-1, -1, 5)), TensorSpec("n", "int64", (-1, 1))),
    outputs=(TensorSpec("y", "float16", (-1, 2)),),
    digest="ab" * 32,
    max_batch=7,
)


def read(text: str) -> model_config_pb2.ModelConfig:
    return text_format.Parse(text, model_config_pb2.ModelConfig())


def laid_out(folder: Path, *models: ModelSpec) -> Path:
    for model in models:
        file = folder / "models" / model.name / str(model.version) / "model.onnx"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(model.name)
    target = folder / "repository"
    python_backend.lay_out(models, folder / "models", target, instances=2, threads=3)
    return target


def test_the_configuration_says_what_the_spec_says() -> None:
    config = read(python_backend.config(MODEL, instances=2, threads=3))
    assert (config.name, config.backend, config.max_batch_size) == ("m", "python", 7)
    assert list(config.version_policy.specific.versions) == [3]
    assert [(t.name, t.data_type, list(t.dims)) for t in config.input] == [
        ("x", model_config_pb2.TYPE_UINT8, [-1, 5]),
        ("n", model_config_pb2.TYPE_INT64, [1]),
    ]
    assert [(t.name, t.data_type, list(t.dims)) for t in config.output] == [
        ("y", model_config_pb2.TYPE_FP16, [2])
    ]
    assert config.dynamic_batching.default_queue_policy.allow_timeout_override
    assert config.instance_group[0].count == 2
    said = {key: value.string_value for key, value in config.parameters.items()}
    assert said == {"threads": "3", "digest": MODEL.digest}


def test_files_are_linked_and_what_was_there_before_is_gone(tmp_path: Path) -> None:
    other = replace(MODEL, name="other", version=1)
    target = laid_out(tmp_path, MODEL, other)
    assert {path.name for path in target.iterdir()} == {"m", "other"}
    link = target / "m" / "3" / "model.onnx"
    assert link.is_symlink()
    assert link.read_text() == "m"
    assert (target / "m" / "3" / "model.py").is_file()
    laid_out(tmp_path, other)
    assert {path.name for path in target.iterdir()} == {"other"}
    assert {path.name for path in tmp_path.iterdir()} == {"models", "repository"}


def test_a_model_that_is_not_there_leaves_what_was(tmp_path: Path) -> None:
    target = laid_out(tmp_path, MODEL)
    absent = replace(MODEL, name="absent")
    with pytest.raises(FileNotFoundError):
        python_backend.lay_out([absent], tmp_path / "models", target, instances=1, threads=1)
    assert {path.name for path in target.iterdir()} == {"m"}
