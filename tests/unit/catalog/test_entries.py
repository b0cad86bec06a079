"""The catalogue that is shipped, and what is said about one that is wrong."""

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig

from beholden.catalog.convert.converters import CONVERTERS
from beholden.catalog.entries import PERMISSIVE, ModelEntry, load_catalog
from beholden.core.errors import InvalidArgument
from beholden.core.models import FACE_DETECTOR, FACE_EMBEDDER, MODERATOR, TensorSpec
from tests.unit.catalog.build import catalog, entry

SHIPPED = Path(__file__).resolve().parents[3] / "models" / "catalog.yaml"
ENTRIES = load_catalog(SHIPPED).models
NEVER_BY_DEFAULT = {"nudenet_320n"}  # its licence has to be accepted by name


def test_every_role_has_a_model() -> None:
    assert set(load_catalog(SHIPPED).roles) >= {FACE_DETECTOR, FACE_EMBEDDER, MODERATOR}


@pytest.mark.parametrize("model", ENTRIES, ids=lambda model: model.name)
def test_shipped_models_are_permissive_and_convertible(model: ModelEntry) -> None:
    assert model.licence in PERMISSIVE or model.name in NEVER_BY_DEFAULT
    assert model.converter in CONVERTERS
    assert "TODO" not in model.measured


@pytest.mark.parametrize("model", ENTRIES, ids=lambda model: model.name)
def test_triton_configuration_says_what_the_catalogue_says(model: ModelEntry) -> None:
    text = (SHIPPED.parent / model.name / "config.pbtxt").read_text()
    config = text_format.Parse(text, ModelConfig())
    assert config.name == model.name
    assert config.platform == "onnxruntime_onnx"
    assert config.max_batch_size == model.max_batch
    assert config.HasField("dynamic_batching")
    dtypes = {"TYPE_UINT8": "uint8", "TYPE_FP32": "float32", "TYPE_INT32": "int32"}
    for declared, promised in ((config.input, model.inputs), (config.output, model.outputs)):
        said = [
            TensorSpec(
                tensor.name,
                dtypes[
                    config.DESCRIPTOR.file.enum_types_by_name["DataType"]
                    .values_by_number[tensor.data_type]
                    .name
                ],
                (-1, *tensor.dims),
            )
            for tensor in declared
        ]
        assert tuple(said) == promised


@pytest.mark.parametrize(
    ("changed", "place", "said"),
    [
        ({"name": "Bad Name"}, "models.0.name", "pattern"),
        ({"name": "../up"}, "models.0.name", "pattern"),
        ({"licence": 3}, "models.0.licence", "string"),
        ({"colour": "red"}, "models.0.colour", "not permitted"),
        ({"sources": []}, "models.0.sources", "at least 1"),
        ({"sources": [{"kind": "ftp"}]}, "models.0.sources.0", "ftp"),
        ({"sources": [{"kind": "https", "base": "http://example.org/"}]}, "base", "pattern"),
        ({"files": [{"name": "../../x", "bytes": 1, "sha256": "0" * 64}]}, "files.0.name", "patt"),
        ({"files": [{"name": "a/b", "bytes": 1, "sha256": "0" * 64}]}, "files.0.name", "pattern"),
        ({"files": [{"name": "x", "bytes": 0, "sha256": "0" * 64}]}, "files.0.bytes", "greater"),
        ({"files": [{"name": "x", "bytes": 1, "sha256": "0" * 63}]}, "files.0.sha256", "pattern"),
        ({"converter": "onnx"}, "models.0.converter", "pattern"),
        ({"version": 0}, "models.0.version", "greater"),
        (
            {"role": "object-detector", "decoder": "yolo9"},
            "models.0",
            "yolo9 with 1 outputs; known are yolox with 1",
        ),
        ({"role": "object-detector"}, "models.0", "decoder none"),
        ({"role": "object-detector", "decoder": "detr"}, "models.0", "detr with 1"),
    ],
)
def test_a_wrong_entry_is_named(
    tmp_path: Path, changed: dict[str, Any], place: str, said: str
) -> None:
    with pytest.raises(InvalidArgument) as wrong:
        catalog(tmp_path, {**entry(), **changed})
    assert place in wrong.value.field
    assert said in wrong.value.problem


def test_a_model_without_configuration_or_listed_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="adder is listed twice"):
        catalog(tmp_path, entry(), entry())
    (tmp_path / "adder" / "config.pbtxt").unlink()
    with pytest.raises(InvalidArgument, match=r"adder has no config\.pbtxt"):
        load_catalog(tmp_path / "catalog.yaml")


@pytest.mark.parametrize("text", ["models: [", "- a", "", "\x00"])
def test_what_is_no_catalogue_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text(text)
    with pytest.raises(InvalidArgument, match="catalog"):
        load_catalog(path)


def test_a_missing_catalogue_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="nowhere"):
        load_catalog(tmp_path / "nowhere.yaml")


def test_an_unknown_model_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="'adda' is not in the catalogue, which has adder"):
        catalog(tmp_path, entry()).model("adda")


def test_labels_come_from_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "adder").mkdir()
    (tmp_path / "adder" / "labels.txt").write_text("one\ntwo\n")
    model = catalog(tmp_path, entry(labels_file="labels.txt", decoder="classifier")).model("adder")
    spec = model.spec("0" * 64)
    assert (spec.labels, spec.decoder) == (("one", "two"), "classifier")


@pytest.mark.parametrize("name", ["absent.txt", "../escape.txt"])
def test_a_label_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidArgument, match="labels_file"):
        catalog(tmp_path, entry(labels_file=name))
