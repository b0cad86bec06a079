"""What pictures show, over the wire."""

from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import skimage
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from beholden.v1 import detection_pb2, detection_pb2_grpc, image_pb2, label_pb2
from tests.house import House
from tests.pictures import encode

SHIPPED = Path(skimage.__file__).parent / "data"


@pytest.fixture(scope="module")
def stub(house: House) -> Iterator[detection_pb2_grpc.DetectionServiceStub]:
    with house.channel() as channel:
        yield detection_pb2_grpc.DetectionServiceStub(channel)


@pytest.fixture
def asked(house: House, stub: detection_pb2_grpc.DetectionServiceStub):
    def ask(picture: str | bytes, **options) -> detection_pb2.DetectLabelsResponse:
        content = picture if isinstance(picture, bytes) else (SHIPPED / picture).read_bytes()
        request = detection_pb2.DetectLabelsRequest(
            image=image_pb2.Image(content=content), **options
        )
        return stub.DetectLabels(request, metadata=house.headers("daily-herald"))

    return ask


def names(found: detection_pb2.DetectLabelsResponse) -> dict[str, label_pb2.Label]:
    return {label.name: label for label in found.labels}


def test_known_pictures(asked) -> None:
    cat = names(asked("chelsea.png"))
    assert {"Cat", "Feline", "Mammal", "Animal", "Pet"} <= cat.keys()
    assert [model.name for model in cat["Cat"].models] == ["yolox_nano", "squeezenet"]
    assert len(cat["Cat"].instances) == 1
    assert list(cat["Cat"].parents) == ["Feline", "Pet", "Mammal", "Animal"]
    assert list(cat["Cat"].categories) == ["Animals and Pets"]

    coffee = names(asked("coffee.png"))
    assert {"Cup", "Espresso", "Dining Table"} <= coffee.keys()
    assert {"Motorcycle", "Vehicle"} <= names(asked("motorcycle_left.png")).keys()

    astronaut = asked("astronaut.png")
    assert astronaut.person_count == 1
    box = names(astronaut)["Person"].instances[0].bounding_box
    assert box.x_min < 0.44 < box.x_max, "the face is hers"
    assert [model.name for model in astronaut.models] == ["yolox_nano", "squeezenet"]


def test_the_surest_come_first_and_no_more_than_asked(asked) -> None:
    found = asked("coffee.png", min_confidence=0.0, max_labels=5)
    sure = [label.confidence for label in found.labels]
    assert len(sure) == 5
    assert sure == sorted(sure, reverse=True)
    assert all(label.confidence >= 0.9 for label in asked("coffee.png", min_confidence=0.9).labels)


def test_an_empty_filter_wants_everything(asked) -> None:
    assert asked("coffee.png", filter=label_pb2.LabelFilter()) == asked("coffee.png")


def test_filters(asked) -> None:
    only = asked("coffee.png", filter=label_pb2.LabelFilter(include_labels=["CUP", "Mug"]))
    assert set(names(only)) == {"Cup"}
    pets = asked(
        "astronaut.png", filter=label_pb2.LabelFilter(include_categories=["animals and pets"])
    )
    assert not pets.labels
    assert pets.person_count == 1, "whatever the filter"
    rest = asked(
        "chelsea.png", filter=label_pb2.LabelFilter(exclude_categories=["Animals and Pets"])
    )
    assert not rest.labels
    assert asked("chelsea.png", filter=label_pb2.LabelFilter()).labels, "an empty filter wants all"


def test_looks_are_told_only_when_asked(asked) -> None:
    assert not asked("coffee.png").HasField("image_properties")
    options = label_pb2.ImagePropertiesOptions(max_dominant_colors=4)
    looks = asked("astronaut.png", image_properties=options).image_properties
    for part in (looks.whole, looks.foreground, looks.background):
        assert 0 < len(part.dominant_colors) <= 4
        assert sum(one.share for one in part.dominant_colors) == pytest.approx(1, abs=1e-5)
        assert 0 < part.brightness < 1
    flat = encode(np.full((64, 64, 3), (0, 0, 255), np.uint8))
    looks = asked(flat, image_properties=options).image_properties
    assert [one.name for one in looks.whole.dominant_colors] == ["blue"]
    assert not looks.HasField("foreground")
    assert not looks.HasField("background")


@pytest.mark.parametrize("shape", [(16, 5000), (5000, 16)])
def test_the_longest_pictures(asked, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    found = asked(encode(rng.integers(0, 255, (*shape, 3), np.uint8)))
    assert (found.image_size.height, found.image_size.width) == shape


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"filter": label_pb2.LabelFilter(include_labels=["Cat", "Cta"])}, "filter.include_labels[1]"),
        ({"filter": label_pb2.LabelFilter(exclude_labels=[""])}, "filter.exclude_labels[0]"),
        ({"filter": label_pb2.LabelFilter(include_categories=["Pets"])}, "filter.include_categories[0]"),
        ({"filter": label_pb2.LabelFilter(exclude_categories=["Cat"])}, "filter.exclude_categories[0]"),
        ({"filter": label_pb2.LabelFilter(include_labels=["Cat"] * 101)}, "filter.include_labels"),
        ({"filter": label_pb2.LabelFilter(include_labels=["x" * 101])}, "filter.include_labels[0]"),
        ({"max_labels": -1}, "max_labels"),
        ({"max_labels": 1001}, "max_labels"),
        ({"min_confidence": 1.5}, "min_confidence"),
        (
            {"image_properties": label_pb2.ImagePropertiesOptions(max_dominant_colors=21)},
            "image_properties.max_dominant_colors",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(asked, options, field: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        asked("coffee.png", **options)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = rpc_status.from_call(caught.value)
    bad = error_details_pb2.BadRequest()
    assert any(detail.Unpack(bad) for detail in status.details)
    assert [violation.field for violation in bad.field_violations] == [field]
