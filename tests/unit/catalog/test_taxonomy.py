"""The taxonomy that is shipped, and what is said about one that is wrong."""

from pathlib import Path

import pytest

from beholden.catalog.entries import load_catalog
from beholden.catalog.taxonomy import load_taxonomy
from beholden.core.errors import InvalidArgument

MODELS = Path(__file__).resolve().parents[3] / "models"
TAXONOMY = load_taxonomy(MODELS / "taxonomy.yaml")


def test_every_label_of_every_shipped_model_has_its_place() -> None:
    models = [
        one
        for one in load_catalog(MODELS / "catalog.yaml").models
        if one.role in {"object-detector", "picture-classifier"}
    ]
    assert models
    for model in models:
        assert model.labels
        for name in model.labels:
            assert TAXONOMY.find(name).categories, f"{name} of {model.name}"


def test_aliases_parents_and_categories() -> None:
    assert TAXONOMY.find("motorbike").name == "Motorcycle"
    tabby = TAXONOMY.find("TABBY")
    assert tabby.parents == ("Cat", "Feline", "Pet", "Mammal", "Animal")
    assert tabby.categories == ("Animals and Pets",)
    assert TAXONOMY.find("crane (bird)").parents[0] == "Bird"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Cat: {in: [Animal]}", "Cat is a kind of Animal, which is not there"),
        ("Cat: {in: [Dog]}\nDog: {in: [Cat]}", "is a kind of itself"),
        ("Cat: {}\nDog: {aliases: [CAT]}", "both"),
        ("Cat: {colour: black}", "Cat.colour"),
        ("- Cat", "dictionary"),
        ("Cat: {", "cannot read"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "taxonomy.yaml"
    path.write_text(text)
    with pytest.raises(InvalidArgument, match=problem):
        load_taxonomy(path)
