"""Decode once, ask the detector and the classifier, and read both in one taxonomy."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from beholden.core.errors import FailedPrecondition, InvalidArgument
from beholden.core.faces import Pixels
from beholden.core.labels import Label, LabelFilter, Look, Taxonomy
from beholden.core.models import ModelSpec
from beholden.core.ports import InferenceEngine, Tensor
from beholden.detection.settings import DetectionSettings
from beholden.vision import colours, image, labels, objects
from beholden.vision.objects import View

_PERSON = "Person"


@dataclass(frozen=True, slots=True)
class Properties:
    """How the whole picture looks, and its parts with and without objects where there are any."""

    whole: Look | None
    foreground: Look | None
    background: Look | None


@dataclass(frozen=True, slots=True)
class Labelled:
    """What a picture shows, the surest first.

    `people` is None where no model can tell, `properties` where nobody asked; `models` are those
    that looked; width and height are the upright picture's, in pixels.
    """

    labels: tuple[Label, ...]
    people: int | None
    properties: Properties | None
    models: tuple[ModelSpec, ...]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """A picture as the detector and the classifier want it; None where there is no such model."""

    picture: image.Picture
    view: View | None
    square: Pixels | None


class LabelPipeline:
    """A picture in, labels out."""

    def __init__(
        self,
        engine: InferenceEngine,
        workers: Executor,
        settings: DetectionSettings,
        *,
        detector: ModelSpec | None,
        classifier: ModelSpec | None,
        taxonomy: Taxonomy,
    ) -> None:
        self._engine = engine
        self._detector = detector
        self._classes = labels.Classes(classifier, taxonomy) if classifier else None
        self._taxonomy = taxonomy
        self._workers = workers
        self._settings = settings
        self.models = tuple(model for model in (detector, classifier) if model is not None)
        own = {taxonomy.find(name).name for model in self.models for name in model.labels}
        self._names = {name.casefold(): name for name in taxonomy.names | own}
        self._categories = {name.casefold(): name for name in taxonomy.categories}
        self._counts_people = detector is not None and any(
            taxonomy.find(name).name == _PERSON for name in detector.labels
        )

    def filter(
        self,
        include_labels: Sequence[str] = (),
        include_categories: Sequence[str] = (),
        exclude_labels: Sequence[str] = (),
        exclude_categories: Sequence[str] = (),
    ) -> LabelFilter:
        """The filter with these names. Raises InvalidArgument for one that nothing is called."""
        return LabelFilter(
            include_labels=self._labels("include_labels", include_labels),
            include_categories=self._known(
                "include_categories", "category", include_categories, self._categories
            ),
            exclude_labels=self._labels("exclude_labels", exclude_labels),
            exclude_categories=self._known(
                "exclude_categories", "category", exclude_categories, self._categories
            ),
        )

    async def detect(
        self,
        content: bytes,
        *,
        min_confidence: float | None = None,
        max_labels: int = 0,
        wanted: LabelFilter | None = None,
        max_colours: int = 0,
    ) -> Labelled:
        """Properties are told where `max_colours` is not 0.

        Raises InvalidArgument (no readable picture), FailedPrecondition (both roles are off).
        """
        if not self.models:
            raise FailedPrecondition(
                "no model that tells labels is pulled",
                remedy="run: beholden models pull",
                reason="MODEL_OFF",
            )
        least = self._settings.min_label_confidence if min_confidence is None else min_confidence
        loop = asyncio.get_running_loop()
        seen = await loop.run_in_executor(self._workers, self._seen, content)
        asked = [self._objects(seen.view, least), self._classed(seen.square, least)]
        found = [label for told in await asyncio.gather(*asked) for label in told]
        properties = None
        if max_colours:
            properties = await loop.run_in_executor(
                self._workers, _properties, seen.picture, found, max_colours
            )
        people = [len(one.instances) for one in found if one.kind.name == _PERSON]
        return Labelled(
            labels=labels.merged(found, wanted or LabelFilter(), least, max_labels),
            people=sum(people) if self._counts_people else None,
            properties=properties,
            models=self.models,
            width=seen.picture.full_width,
            height=seen.picture.full_height,
        )

    async def objects(self, frames: Sequence[Pixels], *, least: float) -> list[list[Label]]:
        """See `LabelFinder.objects`."""
        model = self._detector
        if model is None:
            raise FailedPrecondition(
                "no object detector is pulled",
                remedy="run: beholden models pull",
                reason="MODEL_OFF",
            )

        def fitted() -> list[objects.View]:
            return [objects.fit(frame, model) for frame in frames]

        def read(outputs: Mapping[str, Tensor], views: Sequence[objects.View]) -> list[list[Label]]:
            return [
                labels.from_objects(
                    objects.read(_nth(outputs, place), model, view, least), model, self._taxonomy
                )
                for place, view in enumerate(views)
            ]

        loop = asyncio.get_running_loop()
        views = await loop.run_in_executor(self._workers, fitted)
        batch = np.concatenate([view.batch for view in views])
        outputs = await self._engine.infer(model, {model.inputs[0].name: batch})
        return await loop.run_in_executor(self._workers, read, outputs, views)

    async def scenes(self, frames: Sequence[Pixels], *, least: float) -> list[list[Label]]:
        """See `LabelFinder.scenes`."""
        classes = self._classes
        if classes is None:
            return [[] for _ in frames]

        def fitted() -> Pixels:
            return np.concatenate([labels.fit(frame, classes.model) for frame in frames])

        loop = asyncio.get_running_loop()
        batch = await loop.run_in_executor(self._workers, fitted)
        outputs = await self._engine.infer(classes.model, {classes.model.inputs[0].name: batch})
        return [classes.labels(_nth(outputs, place), least) for place in range(len(frames))]

    def _seen(self, content: bytes) -> _Seen:
        picture = image.decode(content, max_side=self._settings.label_side)
        return _Seen(
            picture,
            objects.fit(picture.pixels, self._detector) if self._detector else None,
            labels.fit(picture.pixels, self._classes.model) if self._classes else None,
        )

    async def _objects(self, view: View | None, least: float) -> list[Label]:
        model = self._detector
        if model is None or view is None:
            return []
        outputs = await self._engine.infer(model, {model.inputs[0].name: view.batch})

        def read() -> list[Label]:
            found = objects.read(outputs, model, view, least)
            return labels.from_objects(found, model, self._taxonomy)

        return await asyncio.get_running_loop().run_in_executor(self._workers, read)

    async def _classed(self, square: Pixels | None, least: float) -> list[Label]:
        classes = self._classes
        if classes is None or square is None:
            return []
        outputs = await self._engine.infer(classes.model, {classes.model.inputs[0].name: square})
        return classes.labels(outputs, least)

    def _labels(self, field: str, names: Iterable[str]) -> frozenset[str]:
        return self._known(field, "label", map(self._called, names), self._names)

    def _called(self, name: str) -> str:
        """The label's own name for an alias of it."""
        return self._taxonomy.find(name).name if name else name

    def _known(
        self, field: str, what: str, names: Iterable[str], known: dict[str, str]
    ) -> frozenset[str]:
        found = set()
        for place, name in enumerate(names):
            if name.casefold() not in known:
                near = difflib.get_close_matches(name.casefold(), known, n=3)
                hint = f"; did you mean {' or '.join(known[one] for one in near)}?" if near else ""
                raise InvalidArgument(
                    f"filter.{field}[{place}]", f"must be the name of a {what}{hint}"
                )
            found.add(known[name.casefold()])
        return frozenset(found)


def _nth(outputs: Mapping[str, Tensor], place: int) -> dict[str, Tensor]:
    """One frame's part of a batch's answer."""
    return {name: value[place : place + 1] for name, value in outputs.items()}


def _properties(picture: image.Picture, found: Sequence[Label], most: int) -> Properties:
    boxes = [instance.box for label in found for instance in label.instances]
    whole = colours.look(picture.pixels, most)
    if not boxes:
        return Properties(whole, None, None)
    mask = colours.foreground(picture.pixels.shape, boxes)
    return Properties(
        whole,
        colours.look(picture.pixels, most, mask),
        colours.look(picture.pixels, most, ~mask),
    )
