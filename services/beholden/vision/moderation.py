"""From what models say of a picture to the labels of the moderation taxonomy.

A model speaks for the labels that the taxonomy has classes of it for, and for those above them. No
label is no proof of safety: what no model was trained to tell is not told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from beholden.core.geometry import Box
from beholden.core.models import ModelSpec
from beholden.core.moderation import (
    LabelSource,
    ModerationLabel,
    ModerationTaxonomy,
    UnsafeRegion,
)
from beholden.vision.objects import Objects

Least = Callable[[str, tuple[str, ...]], float]
"""The confidence under which a label, by its name and those above it, is left out."""


def from_classes(
    probabilities: Mapping[str, float], model: ModelSpec, taxonomy: ModerationTaxonomy
) -> list[ModerationLabel]:
    """Each label that the classifier speaks for, as sure as its classes together."""
    return [
        ModerationLabel(kind.name, kind.parents, _sum(probabilities, classes), (model.id,))
        for kind in taxonomy.spoken_for_by(model.name)
        if (classes := kind.classes[model.name])
    ]


def content_types(
    probabilities: Mapping[str, float], model: ModelSpec, taxonomy: ModerationTaxonomy
) -> list[str]:
    """The kinds of picture that the classifier holds for likelier than not."""
    return [
        kind
        for kind, classes in taxonomy.content_types.items()
        if _sum(probabilities, classes.get(model.name, ())) > 0.5
    ]


def from_objects(
    objects: Objects, model: ModelSpec, taxonomy: ModerationTaxonomy
) -> list[ModerationLabel]:
    """Each label that the detector found something of, as sure as the surest, with their places."""
    found = list(
        zip(
            (model.labels[index] for index in objects.classes.tolist()),
            objects.scores.tolist(),
            objects.boxes.tolist(),
            strict=True,
        )
    )
    labels = []
    for kind in taxonomy.spoken_for_by(model.name):
        regions = tuple(
            UnsafeRegion(kind.name, min(1.0, score), Box(*box))
            for name, score, box in found
            if name in kind.classes[model.name]
        )
        if regions:
            surest = max(region.confidence for region in regions)
            labels.append(ModerationLabel(kind.name, kind.parents, surest, (model.id,), regions))
    return labels


def merged(labels: Iterable[ModerationLabel], least: Least) -> tuple[ModerationLabel, ...]:
    """What is sure enough, each label once and with all those above it; the surest first.

    A label is as sure as the surest that said it or one below it; of its places those stay that are
    sure enough themselves.
    """
    said: dict[tuple[LabelSource, str], list[ModerationLabel]] = defaultdict(list)
    for label in labels:
        floor = least(label.name, label.parents)
        if label.confidence < floor:
            continue
        regions = tuple(region for region in label.regions if region.confidence >= floor)
        chain = (label.name, *label.parents)
        for place, name in enumerate(chain):
            said[label.source, name].append(
                ModerationLabel(
                    name=name,
                    parents=chain[place + 1 :],
                    confidence=label.confidence,
                    models=label.models,
                    regions=() if place else regions,
                    source=label.source,
                )
            )
    told = [_together(group) for group in said.values()]
    return tuple(sorted(told, key=lambda one: (-one.confidence, len(one.parents), one.name)))


def _together(group: list[ModerationLabel]) -> ModerationLabel:
    """One label of several that have its name."""
    regions = [region for label in group for region in label.regions]
    return ModerationLabel(
        name=group[0].name,
        parents=group[0].parents,
        confidence=max(label.confidence for label in group),
        models=tuple(dict.fromkeys(model for label in group for model in label.models)),
        regions=tuple(sorted(regions, key=lambda region: -region.confidence)),
        source=group[0].source,
    )


def _sum(probabilities: Mapping[str, float], classes: Iterable[str]) -> float:
    return min(1.0, sum(probabilities[name] for name in classes))
