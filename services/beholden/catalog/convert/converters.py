"""The converters by the name the catalogue gives them, and what every result must satisfy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import helper

from beholden.catalog.convert import (
    centerface,
    dlib_graph,
    human,
    movenet,
    nsfwjs,
    pp_ocr,
    published,
    squeezenet,
)
from beholden.catalog.convert.graph import OPSET, ConversionError
from beholden.catalog.entries import ModelEntry
from beholden.core.models import TensorSpec

Converter = Callable[[ModelEntry, Mapping[str, Path]], onnx.ModelProto]


def as_it_is(_: ModelEntry, files: Mapping[str, Path]) -> onnx.ModelProto:
    """A model that is ONNX already and has the catalogue's tensors, in one file."""
    if len(files) != 1:
        raise ConversionError(f"one ONNX file was expected, not {', '.join(files)}")
    return onnx.load(next(iter(files.values())))


CONVERTERS: Mapping[str, Converter] = {
    "onnx@1": as_it_is,
    "centerface@1": centerface.convert,
    "dlib-resnet@1": dlib_graph.convert,
    "nsfwjs@1": nsfwjs.convert,
    "human-age-gender@1": human.age_gender,
    "human-antispoof@1": human.antispoof,
    "human-centernet@1": human.centernet,
    "human-emotion@1": human.emotion,
    "human-liveness@1": human.liveness,
    "human-movenet@1": movenet.convert,
    "published@1": published.convert,
    "published@2": published.exactly,
    "pp-ocr-recogniser@1": pp_ocr.recogniser,
    "squeezenet-features@1": squeezenet.features,
}
"""A converter whose output changes gets a new number, so that what it made before is made anew."""


def convert(entry: ModelEntry, files: Mapping[str, Path]) -> bytes:
    """The ONNX file made of a model's `files`, checked, with the tensors that the catalogue promises.

    Raises:
        ConversionError: the converter is unknown, the files are not understood, or the result is
            not what was promised.
    """
    converter = CONVERTERS.get(entry.converter)
    if converter is None:
        known = ", ".join(CONVERTERS)
        raise ConversionError(f"there is no converter {entry.converter}, only {known}")
    try:
        model = converter(entry, files)
        onnx.checker.check_model(model, full_check=True)
    except KeyError as error:
        raise ConversionError(f"{entry.converter} needs the file {error}") from error
    except DecodeError as error:
        raise ConversionError(f"no ONNX file in {', '.join(files)}") from error
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ConversionError(f"{entry.converter} made no valid ONNX: {error}") from error
    opset = next((use.version for use in model.opset_import if not use.domain), 0)
    if opset < OPSET:
        raise ConversionError(f"the opset is {opset}, {OPSET} or later is needed")
    for what, values, promised in (
        ("inputs", model.graph.input, entry.inputs),
        ("outputs", model.graph.output, entry.outputs),
    ):
        if (found := _specs(values)) != promised:
            raise ConversionError(f"its {what} are {found}, the catalogue says {promised}")
    return bytes(model.SerializeToString(deterministic=True))


def _specs(values: Sequence[onnx.ValueInfoProto]) -> tuple[TensorSpec, ...]:
    """The tensors that a graph declares, in the catalogue's terms."""
    return tuple(
        TensorSpec(
            value.name,
            helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).name,
            tuple(
                size.dim_value if size.HasField("dim_value") else -1
                for size in value.type.tensor_type.shape.dim
            ),
        )
        for value in values
    )
