"""An operator's own ONNX detector and classifier: a catalogue entry, a label file, and no code."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from beholden.catalog.pull import pull
from beholden.catalog.repository import available
from beholden.core.errors import FailedPrecondition, InvalidArgument
from beholden.core.labels import Taxonomy
from beholden.core.models import ACTION_CLASSIFIER, OBJECT_DETECTOR, PICTURE_CLASSIFIER
from beholden.detection.actions import ActionPipeline
from beholden.detection.labels import LabelPipeline
from beholden.detection.settings import DetectionSettings
from beholden.inference.open import open_inference
from beholden.inference.settings import InferenceSettings
from beholden.video.features import Feature
from tests import clips, pictures
from tests.analyses import analyst
from tests.unit.catalog import build

LABELS = ("rosy", "grassy", "watery")


def published(queries: bool) -> bytes:
    """A float graph for one BGR picture that answers how red, green and blue it is, as logits."""
    means = helper.make_node("GlobalAveragePool", ["pixels"], ["means"])
    shape = numpy_helper.from_array(np.array([1, 1, 3] if queries else [1, 3], np.int64), "shape")
    row = helper.make_node("Reshape", ["means", "shape"], ["logits_bgr"])
    order = numpy_helper.from_array(np.array([2, 1, 0], np.int64), "order")
    turn = helper.make_node("Gather", ["logits_bgr", "order"], ["logits"], axis=-1)
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 1, 3] if queries else [1, 3])
    ]
    nodes, constants = [means, row, turn], [shape, order]
    if queries:
        zero = numpy_helper.from_array(np.zeros((1, 1, 4), np.float32), "zero")
        place = numpy_helper.from_array(np.array([[[0.5, 0.5, 0.5, 1]]], np.float32), "place")
        padded = helper.make_node("ReduceMean", ["logits"], ["one"], axes=[-1])
        nodes += [
            padded,
            helper.make_node("Mul", ["one", "zero"], ["nothing"]),
            helper.make_node("Add", ["nothing", "place"], ["boxes"]),
        ]
        constants += [zero, place]
        outputs.append(helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 1, 4]))
    graph = helper.make_graph(
        nodes,
        "published",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, 32, 32])],
        outputs,
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def entry(name: str, role: str, content: bytes, outputs: list[dict[str, Any]], **more: Any) -> Any:
    return build.entry(
        name,
        content,
        role=role,
        converter="published@1",
        normalise={"channels": "BGR", "mean": [127.5] * 3, "deviation": [8.0] * 3},
        inputs=[{"name": "image", "dtype": "uint8", "shape": [-1, 32, 32, 3]}],
        outputs=outputs,
        labels_file="labels.txt",
        **more,
    )


def tensor(name: str, *shape: int) -> dict[str, Any]:
    return {"name": name, "dtype": "float32", "shape": [-1, *shape]}


async def test_they_speak_without_code(tmp_path: Path) -> None:
    detector, classifier = published(True), published(False)
    for name in ("own_detr", "own_classes"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "labels.txt").write_text("\n".join(LABELS) + "\n")
    catalog = build.catalog(
        tmp_path,
        entry(
            "own_detr", OBJECT_DETECTOR, detector,
            [tensor("logits", 1, 3), tensor("boxes", 1, 4)], decoder="detr",
        ),
        entry(
            "own_classes", PICTURE_CLASSIFIER, classifier, [tensor("logits", 3)],
            decoder="classifier", parameters={"logits": 1},
        ),
    )  # fmt: skip
    repository = tmp_path / "repository"
    reports = pull(
        catalog, None, repository, mirror=build.mirror(tmp_path / "mirror", detector, classifier)
    )
    assert all(report.ok for report in reports), reports
    own = {
        role: available(catalog, repository, role) for role in (OBJECT_DETECTOR, PICTURE_CLASSIFIER)
    }
    engine = await open_inference("local:", repository, list(own.values()), InferenceSettings())
    red = np.zeros((40, 80, 3), np.uint8)
    red[..., 0] = 255
    with ThreadPoolExecutor(2) as workers:
        pipeline = LabelPipeline(
            engine,
            workers,
            DetectionSettings(),
            detector=own[OBJECT_DETECTOR],
            classifier=own[PICTURE_CLASSIFIER],
            taxonomy=Taxonomy(),
        )
        found = await pipeline.detect(pictures.encode(red))
        assert found.people is None, "neither of them knows people"
        (label,) = found.labels
        assert label.kind.name == "Rosy"
        assert label.models == ("own_detr@1", "own_classes@1")
        (instance,) = label.instances
        assert (instance.box.x_min, instance.box.x_max) == pytest.approx((0.25, 0.75))
        assert pipeline.filter(include_labels=["ROSY"]).include_labels == {"Rosy"}

        off = LabelPipeline(
            engine,
            workers,
            DetectionSettings(),
            detector=None,
            classifier=None,
            taxonomy=Taxonomy(),
        )
        with pytest.raises(FailedPrecondition, match="models pull"):
            await off.detect(pictures.encode(red))
    await engine.close()


CHANGES = ("brightening", "darkening")


def clip_classifier() -> bytes:
    """A float graph for four frames [1,3,4,16,16]: by how much the last is brighter than the first."""
    weights = np.array([[-3, 3], [0, 0], [0, 0], [3, -3]], np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["clip"], ["frames"], axes=[1, 3, 4], keepdims=0),
        helper.make_node("MatMul", ["frames", "weights"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "clips",
        [helper.make_tensor_value_info("clip", TensorProto.FLOAT, [1, 3, 4, 16, 16])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.mark.thorough
async def test_a_clip_classifier_tells_activities_without_code(tmp_path: Path) -> None:
    """Four seconds become brighter and four darker; a clip is four frames of two seconds."""
    content = clip_classifier()
    catalog = build.catalog(
        tmp_path,
        build.entry(
            "own_clips",
            content,
            role=ACTION_CLASSIFIER,
            converter="published@1",
            normalise={"deviation": [255.0] * 3},
            inputs=[{"name": "clip", "dtype": "uint8", "shape": [-1, 4, 16, 16, 3]}],
            outputs=[tensor("logits", 2)],
            decoder="clip",
            labels=list(CHANGES),
            parameters={"logits": 1, "seconds": 2},
        ),
    )
    repository = tmp_path / "repository"
    (report,) = pull(catalog, None, repository, mirror=build.mirror(tmp_path / "mirror", content))
    assert report.ok, report
    own = available(catalog, repository, ACTION_CLASSIFIER)
    brightness = [*range(60, 220, 4), *range(216, 56, -4)]
    film = clips.written(
        tmp_path / "film.mp4", [np.full((64, 96, 3), level, np.uint8) for level in brightness]
    )
    engine = await open_inference("local:", repository, [own], InferenceSettings())
    async with analyst(ActionPipeline(engine, own)) as here:
        for resumed in (False, True):
            found = await here.analysed(
                film, Feature.ACTIVITIES, chunk_seconds=1.3, resumed=resumed
            )
            told = [(one.name, one.start_us, one.end_us) for one in found.annotations]
            assert told == [("brightening", 0, 4_000_000), ("darkening", 4_000_000, 8_000_000)]
            rule = found.annotations[0].detail["rule"]
            assert rule == "own_clips@1 is at least 0.55 sure over 4 frames in 2 s"
    await engine.close()


def test_a_classifier_of_single_pictures_reads_no_clips(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="must read clips"):
        build.catalog(
            tmp_path,
            build.entry(
                "own_clips",
                b"x",
                role=ACTION_CLASSIFIER,
                inputs=[{"name": "image", "dtype": "uint8", "shape": [-1, 16, 16, 3]}],
                outputs=[tensor("logits", 2)],
                decoder="clip",
            ),
        )
