"""From what detectors and classifiers say to the labels of a picture, in one taxonomy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beholden.core.faces import Pixels
from beholden.core.geometry import Box
from beholden.core.labels import Instance, Label, LabelFilter, Taxonomy
from beholden.core.models import ModelSpec
from beholden.vision.objects import Objects
from beholden.vision.scaling import resized

Probabilities = NDArray[np.float64]

_ROUNDING = 1e-3  # how far over 1 half precision may round a probability


def fit(pixels: Pixels, model: ModelSpec) -> Pixels:
    """The whole picture squeezed into the classifier's square: (1, H, W, 3).

    Squeezed, not cropped: what is at the edge of a wide picture is seen too.
    """
    _, height, width, _ = model.inputs[0].shape
    return resized(pixels, width, height)[None]


def read(outputs: Mapping[str, NDArray[Any]], model: ModelSpec) -> Probabilities:
    """The probability of each of the classifier's labels, (K,) in [0, 1].

    A model with the parameter `logits` answers logits, any other probabilities. Raises ValueError
    for another number of them than the model has labels, or where one is no probability: an answer
    that makes no sense must not pass for a picture without labels.
    """
    values = outputs[model.outputs[0].name][0].reshape(-1).astype(np.float64)
    if values.shape != (len(model.labels),) or not np.isfinite(values).all():
        raise ValueError(f"{model.id} did not answer {len(model.labels)} numbers")
    if model.parameters.get("logits"):
        values = np.exp(values - values.max())
        values /= values.sum()
    if ((values < -_ROUNDING) | (values > 1 + _ROUNDING)).any():
        raise ValueError(f"{model.id} answered what are no probabilities")
    return np.asarray(np.clip(values, 0, 1))


def from_objects(objects: Objects, model: ModelSpec, taxonomy: Taxonomy) -> list[Label]:
    """A label for each kind of object with its instances, and one for each label above it.

    A label is as sure as the surest object of its kind or below it.
    """
    found: dict[str, list[Instance]] = defaultdict(list)
    sure: dict[str, float] = defaultdict(float)
    for box, score, index in zip(
        objects.boxes.tolist(), objects.scores.tolist(), objects.classes.tolist(), strict=True
    ):
        kind = taxonomy.find(model.labels[index])
        found[kind.name].append(Instance(Box(*box), min(1.0, score)))
        for name in (kind.name, *kind.parents):
            sure[name] = max(sure[name], min(1.0, score))
    return [
        Label(taxonomy.find(name), confidence, tuple(found.get(name, ())), (model.id,))
        for name, confidence in sure.items()
    ]


class Classes:
    """Which labels a classifier's classes speak for: each for its own, and for all above it."""

    def __init__(self, model: ModelSpec, taxonomy: Taxonomy) -> None:
        kinds = [taxonomy.find(name) for name in model.labels]
        places: dict[str, int] = {}
        pairs = [
            (places.setdefault(above, len(places)), index)
            for index, kind in enumerate(kinds)
            for above in (kind.name, *kind.parents)
        ]
        self.model = model
        self._kinds = [taxonomy.find(name) for name in places]
        self._above, self._classes = np.array(pairs, np.intp).T

    def labels(self, outputs: Mapping[str, NDArray[Any]], least: float) -> list[Label]:
        """The labels of at least that confidence, each as sure as its classes together.

        A classifier that is torn between a tabby and an Egyptian cat is sure of a cat. Raises
        ValueError as `read` does.
        """
        probabilities = read(outputs, self.model)
        sums = np.bincount(self._above, probabilities[self._classes], len(self._kinds))
        sure = np.minimum(1.0, sums)
        return [
            Label(self._kinds[place], float(sure[place]), (), (self.model.id,))
            for place in np.flatnonzero(sure >= least)
        ]


def merged(
    labels: list[Label], wanted: LabelFilter, min_confidence: float, max_labels: int
) -> tuple[Label, ...]:
    """What is `wanted` and sure enough, each label once, the surest first; all where `max_labels` is 0.

    Of what several models say of one label the surest counts; who fell short of `min_confidence`
    did not say it.
    """
    said: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        if label.confidence >= min_confidence and wanted.wants(label.kind):
            said[label.kind.name].append(label)
    told = [
        Label(
            kind=group[0].kind,
            confidence=max(label.confidence for label in group),
            instances=tuple(instance for label in group for instance in label.instances),
            models=tuple(model for label in group for model in label.models),
        )
        for group in said.values()
    ]
    told.sort(key=lambda label: (-label.confidence, label.kind.name))
    return tuple(told[: max_labels or None])
