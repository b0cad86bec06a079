import numpy as np
import pytest

from beholden.vision.moderation import CLASSES, CONTENT_TYPES, LABELS, ModerationLabel, fit, read
from tests import pictures

# The top level of the moderation taxonomy, version 7.
TOP = {
    "Explicit",
    "Non-Explicit Nudity of Intimate parts and Kissing",
    "Swimwear or Underwear",
    "Violence",
    "Visually Disturbing",
    "Drugs & Tobacco",
    "Alcohol",
    "Rude Gestures",
    "Gambling",
    "Hate Symbols",
}


def probabilities(**share: float) -> np.ndarray:
    return np.array([share.get(name, 0.0) for name in CLASSES], np.float32)


@pytest.mark.parametrize(
    ("share", "labels", "kinds"),
    [
        ({"Neutral": 1}, {}, ()),
        ({"Neutral": 0.6, "Sexy": 0.4}, {}, ()),
        ({"Sexy": 0.75, "Neutral": 0.25}, {"Swimwear or Underwear": 0.75}, ()),
        ({"Porn": 0.875, "Sexy": 0.125}, {"Explicit": 0.875}, ()),
        ({"Hentai": 1}, {"Explicit": 1}, ("Illustrated",)),
        ({"Drawing": 1}, {}, ("Illustrated",)),
        ({"Porn": 0.375, "Hentai": 0.375, "Drawing": 0.25}, {"Explicit": 0.75}, ("Illustrated",)),
        ({"Porn": 0.5, "Sexy": 0.5}, {"Explicit": 0.5, "Swimwear or Underwear": 0.5}, ()),
    ],
)
def test_classes_become_labels(
    share: dict[str, float], labels: dict[str, float], kinds: tuple[str, ...]
) -> None:
    found, content_types = read(probabilities(**share), 0.5)
    assert found == tuple(ModerationLabel(name, "", 1, value) for name, value in labels.items())
    assert content_types == kinds


def test_the_most_confident_comes_first_and_all_at_nought() -> None:
    found, _ = read(probabilities(Sexy=0.75, Porn=0.125, Neutral=0.125), 0.0)
    assert [label.name for label in found] == ["Swimwear or Underwear", "Explicit"]


def test_says_only_what_the_taxonomy_and_the_model_know() -> None:
    assert LABELS.keys() <= TOP
    spoken_for = {
        name for classes in (*LABELS.values(), *CONTENT_TYPES.values()) for name in classes
    }
    assert spoken_for == set(CLASSES) - {"Neutral"}


@pytest.mark.parametrize(
    "answer",
    [
        np.full(5, np.nan, np.float32),
        np.array((np.inf, 0, 0, 0, 0)),
        np.array((-0.1, 0, 1, 0, 0)),
        np.array((1.5, 0, 0, 0, 0)),
        np.array((0.5, 0.5)),
        np.full((1, 5), 0.2),
    ],
)
def test_an_answer_that_makes_no_sense_does_not_pass_for_safe(answer: np.ndarray) -> None:
    with pytest.raises(ValueError, match="probabilities"):
        read(answer, 0.5)


def test_the_sum_of_rounded_probabilities_stays_a_probability() -> None:
    found, _ = read(np.array((0, 0.6, 0, 0.40000004, 0), np.float32), 0.5)
    assert found[0].confidence == 1


def test_the_whole_picture_is_squeezed_into_the_square() -> None:
    picture = pictures.pixels("astronaut")[:300]
    batch = fit(picture)
    assert (batch.shape, batch.dtype) == ((1, 224, 224, 3), np.uint8)
    assert batch.mean() == pytest.approx(picture.mean(), abs=1)
    assert fit(np.zeros((20, 30, 3), np.uint8), 64).shape == (1, 64, 64, 3)
