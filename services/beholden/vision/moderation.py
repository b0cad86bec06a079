"""From the probabilities of an nsfwjs model to labels of the moderation taxonomy.

The taxonomy is Amazon Rekognition's, version 7. The model (github.com/infinitered/nsfwjs) sorts
whole pictures into five kinds, so it can tell two labels of the top level and none below: not what
is to be seen, nor where. Violence, weapons, drugs, gestures and symbols it does not know: no label
is no proof of safety.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beholden.core.faces import Pixels
from beholden.vision.scaling import resized

CLASSES = ("Drawing", "Hentai", "Neutral", "Porn", "Sexy")
"""The model's outputs, in order."""


@dataclass(frozen=True, slots=True)
class ModerationLabel:
    """One kind of content; `parent` is empty at the top, `level` 1. `confidence` in [0, 1]."""

    name: str
    parent: str
    level: int
    confidence: float


LABELS: Mapping[str, tuple[str, ...]] = {
    "Explicit": ("Hentai", "Porn"),
    # Revealing but not explicit: in the model's training pictures mostly swimwear and lingerie.
    "Swimwear or Underwear": ("Sexy",),
}
"""The classes that speak for each label of the top level; its confidence is their sum."""

CONTENT_TYPES: Mapping[str, tuple[str, ...]] = {"Illustrated": ("Drawing", "Hentai")}
"""The classes that speak for each kind of picture, told where they are likelier than not."""


def fit(pixels: Pixels, side: int = 224) -> Pixels:
    """The whole picture squeezed into the model's square, as it was trained: (1, side, side, 3)."""
    return resized(pixels, side, side)[None]


def read(
    probabilities: NDArray[np.floating], min_confidence: float
) -> tuple[tuple[ModerationLabel, ...], tuple[str, ...]]:
    """Labels of at least `min_confidence`, most confident first, and the kinds of picture.

    `probabilities` (5,) are those of `CLASSES`. Raises ValueError where they are not five
    probabilities: an answer that makes no sense must not pass for a safe picture.
    """
    if probabilities.shape != (len(CLASSES),) or not np.all(
        (probabilities >= 0) & (probabilities <= 1)
    ):
        raise ValueError(f"expected {len(CLASSES)} probabilities")
    share: dict[str, float] = dict(zip(CLASSES, probabilities.tolist(), strict=True))

    def confidence(classes: tuple[str, ...]) -> float:
        return min(1.0, sum(share[name] for name in classes))

    labels = [ModerationLabel(name, "", 1, confidence(LABELS[name])) for name in LABELS]
    told = [label for label in labels if label.confidence >= min_confidence]
    kinds = [name for name in CONTENT_TYPES if confidence(CONTENT_TYPES[name]) > 0.5]
    return tuple(sorted(told, key=lambda label: -label.confidence)), tuple(kinds)
