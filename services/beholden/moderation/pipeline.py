"""Decode once, ask all that tell what is unsafe, and read them in one taxonomy by a tenant's rules."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from beholden.core.caller import caller
from beholden.core.errors import FailedPrecondition
from beholden.core.faces import Pixels
from beholden.core.gallery import Page
from beholden.core.models import MODERATOR, OBJECT_DETECTOR, UNSAFE_DETECTOR, ModelSpec
from beholden.core.moderation import ModerationLabel, ModerationRules, ModerationTaxonomy
from beholden.core.paging import decode_token, encode_token
from beholden.core.ports import InferenceEngine, TextReader
from beholden.core.redaction import Unsafe
from beholden.moderation import coverage
from beholden.moderation.blocklist import Blocklists
from beholden.moderation.coverage import Covered
from beholden.moderation.custom import CustomModeration
from beholden.moderation.rules import check_rules
from beholden.moderation.settings import ModerationSettings
from beholden.vision import image as images
from beholden.vision import labels, moderation, objects

_DETECTORS = {UNSAFE_DETECTOR, OBJECT_DETECTOR}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Labels, the surest first, the kinds of picture told beside them, and the models that looked."""

    labels: tuple[ModerationLabel, ...]
    content_types: tuple[str, ...]
    models: tuple[ModelSpec, ...]


@dataclass(frozen=True, slots=True)
class _Views:
    """A picture as each classifier and each detector wants it, in their order."""

    squares: Sequence[Pixels]
    parts: Sequence[objects.View]


class ModerationPipeline:
    """A picture in, labels out; implements `UnsafeFinder` for whoever hides what is unsafe.

    Of `models` those look that the taxonomy has classes of; a tenant without `rules` has none.
    `licences` are those of the catalogue's models, by name; `reader` reads for blocklists,
    `custom` keeps tenants' examples.
    """

    def __init__(
        self,
        engine: InferenceEngine,
        workers: Executor,
        settings: ModerationSettings,
        *,
        models: Sequence[ModelSpec],
        taxonomy: ModerationTaxonomy,
        rules: Mapping[str, ModerationRules],
        licences: Mapping[str, str],
        reader: TextReader,
        custom: CustomModeration,
    ) -> None:
        """Raises FailedPrecondition for rules that name labels which there are not."""
        check_rules(rules, taxonomy)
        self._engine = engine
        self._workers = workers
        self._settings = settings
        self._taxonomy = taxonomy
        self._rules = rules
        self._reader = reader
        self.custom = custom
        self._blocklists = {
            tenant: Blocklists(own.blocklists) for tenant, own in rules.items() if own.blocklists
        }
        self._licences = licences
        told = {model for kind in taxonomy.kinds for model in kind.classes}
        looking = [model for model in models if model.name in told]
        self._classifiers = tuple(model for model in looking if model.role not in _DETECTORS)
        self._detectors = tuple(model for model in looking if model.role in _DETECTORS)
        self._heeded = {model.name: _heeded(model, taxonomy) for model in self._classifiers}

    @property
    def models(self) -> tuple[ModelSpec, ...]:
        """Those that look. Raises FailedPrecondition when the role is off: the others tell too little."""
        looking = (*self._classifiers, *self._detectors)
        if not any(model.role == MODERATOR for model in looking):
            raise FailedPrecondition(
                "no moderation model is pulled",
                remedy="run: beholden models pull",
                reason="MODEL_OFF",
            )
        return looking

    async def moderate(
        self, content: bytes, *, tenant: str, min_confidence: float | None
    ) -> Verdict:
        """Raises InvalidArgument (no readable picture), FailedPrecondition (role off)."""
        least = self._least(tenant, min_confidence)
        told, kinds = await self._told(content, tenant, least)
        models = self.models
        if tenant in self._blocklists:
            models += tuple(self._reader.models)
        if self.custom.on(tenant):
            models += (self.custom.model(tenant),)
        return Verdict(moderation.merged(told, least), kinds, models)

    async def find_unsafe(
        self, image: bytes, *, min_confidence: float | None
    ) -> tuple[Unsafe, ...]:
        """See `UnsafeFinder.find_unsafe`."""
        tenant = caller().tenant
        least = self._least(tenant, min_confidence)
        told, _ = await self._told(image, tenant, least)
        return tuple(
            Unsafe(label.name, place.confidence, place.box)
            if place
            else Unsafe(label.name, label.confidence)
            for label in told
            for place in label.regions or (None,)
            if (place or label).confidence >= least(label.name, label.parents)
        )

    async def _told(
        self, content: bytes, tenant: str, least: moderation.Least
    ) -> tuple[list[ModerationLabel], tuple[str, ...]]:
        """What each model says by itself, and the kinds of picture."""
        models = self.models
        loop = asyncio.get_running_loop()
        picture, views = await loop.run_in_executor(self._workers, self._decoded, content, models)
        (labels, kinds), written, likened = await asyncio.gather(
            self._seen(views, least),
            self._written(content, tenant),
            self._likened(picture, tenant),
        )
        return [*labels, *written, *likened], kinds

    async def judge(
        self, frames: Sequence[Pixels], *, tenant: str, least: float | None
    ) -> Sequence[Mapping[str, float]]:
        """See `Moderator.judge`."""
        floor = self._least(tenant, least)
        loop = asyncio.get_running_loop()
        views = [await loop.run_in_executor(self._workers, self._fitted, one) for one in frames]
        told = await asyncio.gather(*(self._seen(one, floor) for one in views))
        return [
            {label.name: label.confidence for label in moderation.merged(labels, floor)}
            for labels, _ in told
        ]

    async def _seen(
        self, views: _Views, least: moderation.Least
    ) -> tuple[list[ModerationLabel], tuple[str, ...]]:
        squares = zip(views.squares, self._classifiers, strict=True)
        parts = zip(views.parts, self._detectors, strict=True)
        classes, found = await asyncio.gather(
            asyncio.gather(*(self._classes(square, model) for square, model in squares)),
            asyncio.gather(*(self._objects(part, model, least) for part, model in parts)),
        )
        labels = [label for one in found for label in one]
        kinds: dict[str, None] = {}
        for model, shares in zip(self._classifiers, classes, strict=True):
            labels += moderation.from_classes(shares, model, self._taxonomy)
            kinds |= dict.fromkeys(moderation.content_types(shares, model, self._taxonomy))
        return labels, tuple(kinds)

    async def labels(self, tenant: str, page_size: int, page_token: str) -> Page[Covered]:
        """Every label that a tenant may meet, each after the one above it, and what tells it here.

        Raises InvalidArgument (page token), FailedPrecondition (the tenant's examples need a model).
        """
        taught = await self.custom.taught(tenant) if self.custom.on(tenant) else ()
        found = [
            *coverage.of_taxonomy(self._taxonomy, (*self._classifiers, *self._detectors)),
            *coverage.of_blocklists(self._rules_of(tenant).blocklists, self._reader),
            *(coverage.of_custom(taught, self.custom.model(tenant)) if taught else ()),
        ]
        size = page_size or self._settings.page_size
        listing = ("moderation labels", tenant)
        start = int(decode_token(listing, page_token)[0]) if page_token else 0
        more = len(found) > start + size
        return Page(
            tuple(found[start : start + size]),
            encode_token(listing, [start + size]) if more else "",
        )

    def licence(self, model: str) -> str:
        """The SPDX identifier of a model's licence."""
        return self._licences[model]

    def least(self, tenant: str, label: Covered) -> float:
        """The confidence under which a label is left out where the caller says nothing."""
        return self._least(tenant, None)(label.name, label.parents)

    def _rules_of(self, tenant: str) -> ModerationRules:
        return self._rules.get(tenant, ModerationRules())

    def _least(self, tenant: str, asked: float | None) -> moderation.Least:
        rules = self._rules_of(tenant)
        return partial(rules.least, asked=asked, otherwise=self._settings.min_confidence)

    def _decoded(
        self, content: bytes, models: Sequence[ModelSpec]
    ) -> tuple[images.Picture, _Views]:
        """At twice the side that the most demanding model wants, and as each wants it."""
        side = max(max(model.inputs[0].shape[1:3]) for model in models)
        picture = images.decode(content, max_side=2 * side)
        return picture, self._fitted(picture.pixels)

    def _fitted(self, pixels: Pixels) -> _Views:
        return _Views(
            [labels.fit(pixels, model) for model in self._classifiers],
            [objects.fit(pixels, model) for model in self._detectors],
        )

    async def _classes(self, square: Pixels, model: ModelSpec) -> Mapping[str, float]:
        outputs = await self._engine.infer(model, {model.inputs[0].name: square})
        shares = labels.read(outputs, model)
        return {name: float(shares[place]) for name, place in self._heeded[model.name].items()}

    async def _written(self, content: bytes, tenant: str) -> list[ModerationLabel]:
        blocklists = self._blocklists.get(tenant)
        if blocklists is None:
            return []
        lines = await self._reader.read(content)
        return blocklists.told(lines, tuple(model.id for model in self._reader.models))

    async def _likened(self, picture: images.Picture, tenant: str) -> list[ModerationLabel]:
        return await self.custom.tell(tenant, picture.pixels) if self.custom.on(tenant) else []

    async def _objects(
        self, view: objects.View, model: ModelSpec, least: moderation.Least
    ) -> list[ModerationLabel]:
        kinds = self._taxonomy.spoken_for_by(model.name)
        floor = min(least(kind.name, kind.parents) for kind in kinds)
        outputs = await self._engine.infer(model, {model.inputs[0].name: view.batch})

        def read() -> list[ModerationLabel]:
            found = objects.read(outputs, model, view, floor)
            return moderation.from_objects(found, model, self._taxonomy)

        return await asyncio.get_running_loop().run_in_executor(self._workers, read)


def _heeded(model: ModelSpec, taxonomy: ModerationTaxonomy) -> dict[str, int]:
    """The places of those of a classifier's classes that mean anything here."""
    spoken = [kind.classes for kind in taxonomy.kinds] + [*taxonomy.content_types.values()]
    names = {name for classes in spoken for name in classes.get(model.name, ())}
    return {name: place for place, name in enumerate(model.labels) if name in names}
