from dataclasses import replace

import numpy as np
import pytest

from beholden.core.geometry import Box
from beholden.core.labels import Instance, Kind, Label, LabelFilter, Taxonomy
from beholden.core.models import ModelSpec, TensorSpec
from beholden.vision import labels
from beholden.vision.objects import Objects

PETS = ("Animals",)
TAXONOMY = Taxonomy(
    [
        Kind("Animal", (), (), PETS),
        Kind("Cat", ("Kitty",), ("Animal",), PETS),
        Kind("Tabby", (), ("Cat", "Animal"), PETS),
        Kind("Siamese", (), ("Cat", "Animal"), PETS),
    ]
)
CLASSES = ("tabby", "siamese", "robot")
MODEL = ModelSpec(
    name="classes",
    version=3,
    role="picture-classifier",
    inputs=(TensorSpec("image", "uint8", (-1, 8, 8, 3)),),
    outputs=(TensorSpec("numbers", "float32", (-1, 3, 1, 1)),),
    labels=CLASSES,
)


CLASSED = labels.Classes(MODEL, TAXONOMY)


def numbers(*values: float) -> dict[str, np.ndarray]:
    """The classifier's answer to one picture."""
    return {"numbers": np.array(values, np.float32).reshape(1, -1, 1, 1)}


def told(found: list[Label]) -> dict[str, float]:
    return {label.kind.name: round(label.confidence, 4) for label in found}


def test_a_label_above_is_as_sure_as_its_classes_together() -> None:
    found = CLASSED.labels(numbers(0.5, 0.25, 0.25), 0)
    assert told(found) == {
        "Tabby": 0.5, "Siamese": 0.25, "Cat": 0.75, "Animal": 0.75, "Robot": 0.25
    }  # fmt: skip
    assert {label.models for label in found} == {("classes@3",)}


def test_a_label_above_is_as_sure_as_the_surest_object_and_has_no_instances() -> None:
    objects = Objects(
        np.array([[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]], np.float32),
        np.array([0.75, 0.5], np.float32),
        np.array([0, 0]),
    )
    found = labels.from_objects(objects, MODEL, TAXONOMY)
    assert told(found) == {"Tabby": 0.75, "Cat": 0.75, "Animal": 0.75}
    assert [len(label.instances) for label in found] == [2, 0, 0]


def test_several_models_are_merged_and_each_that_spoke_is_named() -> None:
    cat = TAXONOMY.find("kitty")
    one = Label(cat, 0.6, (Instance(Box(0, 0, 1, 1), 0.6),), ("a@1",))
    other, silent = Label(cat, 0.9, (), ("b@1",)), Label(cat, 0.5, (), ("c@1",))
    (merged,) = labels.merged([one, other, silent], LabelFilter(), 0.55, 0)
    assert (merged.kind, merged.confidence, merged.models) == (cat, 0.9, ("a@1", "b@1"))
    assert merged.instances == one.instances


def test_the_surest_first_and_no_more_than_asked() -> None:
    found = CLASSED.labels(numbers(0.5, 0.25, 0.125), 0)
    names = [label.kind.name for label in labels.merged(found, LabelFilter(), 0.2, 3)]
    assert names == ["Animal", "Cat", "Tabby"]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (LabelFilter(), {"Tabby", "Siamese", "Cat", "Animal", "Robot"}),
        (LabelFilter(include_labels=frozenset({"Cat"})), {"Cat"}),
        (LabelFilter(include_categories=frozenset(PETS)), {"Tabby", "Siamese", "Cat", "Animal"}),
        (LabelFilter(exclude_categories=frozenset(PETS)), {"Robot"}),
        (
            LabelFilter(include_labels=frozenset({"Robot"}), include_categories=frozenset(PETS),
                        exclude_labels=frozenset({"Cat"})),
            {"Tabby", "Siamese", "Animal", "Robot"},
        ),
    ],
)  # fmt: skip
def test_filters(wanted: LabelFilter, names: set[str]) -> None:
    found = CLASSED.labels(numbers(0.3, 0.3, 0.3), 0.1)
    assert {label.kind.name for label in labels.merged(found, wanted, 0.1, 0)} == names


def test_what_is_not_sure_enough_is_no_label() -> None:
    found = CLASSED.labels(numbers(0.3, 0.25, 0.45), 0.5)
    assert told(found) == {"Cat": 0.55, "Animal": 0.55}


def test_answers_are_read_as_probabilities_or_logits() -> None:
    assert labels.read(numbers(0.5, 0.25, 0.25), MODEL).tolist() == [0.5, 0.25, 0.25]
    logits = replace(MODEL, parameters={"logits": 1})
    read = labels.read(numbers(500, 250, 250), logits)
    assert read[0] == pytest.approx(1)
    for bad in (numbers(0.5, 0.5), numbers(np.nan, 0, 0)):
        with pytest.raises(ValueError, match="3 numbers"):
            labels.read(bad, MODEL)


def test_a_taxonomy_has_each_name_once_and_every_parent() -> None:
    with pytest.raises(ValueError, match="both"):
        Taxonomy([Kind("Cat"), Kind("Feline", ("cat",))])
    with pytest.raises(ValueError, match="not there"):
        Taxonomy([Kind("Cat", (), ("Animal",))])
    assert TAXONOMY.find("unheard of") == Kind("Unheard of")
