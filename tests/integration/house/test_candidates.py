"""A role whose best model could not be pulled: the next candidate speaks, and is named."""

import shutil
from pathlib import Path

import pytest
import skimage

from beholden.catalog.entries import load_catalog
from beholden.catalog.pull import pull
from beholden.v1 import detection_pb2, detection_pb2_grpc, image_pb2
from tests.house import MODELS, ROOT, house
from tests.pictures import missing

SECOND = "centernet_mobilenet_v3"
SHIPPED = Path(skimage.__file__).parent / "data"


@pytest.mark.parametrize(
    ("picture", "label", "x", "y"),
    [("astronaut.png", "Person", 0.44, 0.23), ("coffee.png", "Cup", 0.5, 0.4)],
)
@pytest.mark.thorough
def test_the_second_object_detector_speaks_alone(
    tmp_path: Path, picture: str, label: str, x: float, y: float
) -> None:
    repository = tmp_path / "models"
    if (MODELS / SECOND).is_dir():
        shutil.copytree(MODELS / SECOND, repository / SECOND)
    else:
        (report,) = pull(load_catalog(ROOT / "models" / "catalog.yaml"), [SECOND], repository)
        if not report.ok:
            missing(f"{SECOND} cannot be pulled: {report.attempts}")
    with (
        house(tmp_path, ["detection"], MODEL_REPOSITORY=str(repository)) as served,
        served.channel() as channel,
    ):
        answer = detection_pb2_grpc.DetectionServiceStub(channel).DetectLabels(
            detection_pb2.DetectLabelsRequest(
                image=image_pb2.Image(content=(SHIPPED / picture).read_bytes()),
                min_confidence=0.4,
            ),
            metadata=served.headers("daily-herald"),
        )
    assert [model.name for model in answer.models] == [SECOND]
    (found,) = (one for one in answer.labels if one.name == label)
    box = found.instances[0].bounding_box
    assert box.x_min < x < box.x_max
    assert box.y_min < y < box.y_max
