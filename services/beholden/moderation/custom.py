"""Moderation by likeness to a tenant's own examples: k-nearest, calibrated on the examples themselves."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from beholden.core.errors import FailedPrecondition, InvalidArgument, ResourceExhausted
from beholden.core.faces import Pixels, Template
from beholden.core.gallery import Page
from beholden.core.models import ModelSpec
from beholden.core.moderation import (
    BLOCKLISTED,
    CUSTOM,
    LabelSource,
    ModerationLabel,
    ModerationRules,
    ModerationTaxonomy,
)
from beholden.core.ports import FaceStore, InferenceEngine
from beholden.moderation.examples import Example, Examples
from beholden.moderation.settings import ModerationSettings
from beholden.vision import image as images
from beholden.vision import labels
from beholden.vision.likeness import Curve, calibrate
from beholden.vision.templates import unit

_REQUESTS = uuid.UUID("3d1d9a5e-8f57-5b0e-a1a5-2b9d3f6c7e11")
_MOST_LABELS = 100


@dataclass(frozen=True, slots=True)
class Taught:
    """A label by its examples: how many there are, how many else, and its curve once it has one."""

    label: str
    count: int
    others: int
    curve: Curve | None


class CustomModeration:
    """Keeps examples and tells labels by them, for tenants whose rules say so.

    `model` is what turns a picture into features, None where none is pulled; `store` is where
    examples are, None where no tenant has any.
    """

    def __init__(
        self,
        engine: InferenceEngine,
        workers: Executor,
        settings: ModerationSettings,
        *,
        model: ModelSpec | None,
        store: FaceStore | None,
        rules: Mapping[str, ModerationRules],
        taxonomy: ModerationTaxonomy,
    ) -> None:
        self._engine = engine
        self._workers = workers
        self._settings = settings
        self._model = model
        self._examples = Examples(store, model) if store is not None and model else None
        self._rules = rules
        self._names = {kind.name.casefold() for kind in taxonomy.kinds}
        self._names |= {BLOCKLISTED.casefold(), CUSTOM.casefold()}
        self._known: dict[str, tuple[float, tuple[Taught, ...]]] = {}

    def on(self, tenant: str) -> bool:
        """Whether the tenant's rules ask for it."""
        rules = self._rules.get(tenant)
        return rules is not None and rules.custom

    def model(self, tenant: str) -> ModelSpec:
        """What the tenant's examples are compared by. Raises FailedPrecondition."""
        self._kept(tenant)
        assert self._model is not None
        return self._model

    async def tell(self, tenant: str, pixels: Pixels) -> list[ModerationLabel]:
        """A label for each that the tenant has taught, as sure as the picture is like its examples.

        Raises FailedPrecondition (no model, or examples of another one).
        """
        taught = [one for one in await self.taught(tenant) if one.curve]
        if not taught:
            return []
        model = self.model(tenant)
        features = await self._features(pixels, model)
        near = await self._kept(tenant).nearest(tenant, features, self._settings.neighbours)
        told = []
        for one in taught:
            assert one.curve is not None
            mine = [cosine for label, cosine in near if label == one.label]
            others = [cosine for label, cosine in near if label != one.label]
            confidence = 0.0
            if mine:
                # Those that are not among the neighbours are further away than any of them.
                missing = [near[-1][1]] * one.curve.nearest
                confidence = one.curve.confidence(
                    np.array(mine + missing), np.array(others + missing)
                )
            told.append(
                ModerationLabel(
                    name=one.label,
                    parents=(CUSTOM,),
                    confidence=confidence,
                    models=(model.id,),
                    source=LabelSource.CUSTOM,
                )
            )
        return told

    async def taught(self, tenant: str) -> tuple[Taught, ...]:
        """The tenant's labels by name, calibrated anew where examples came or went.

        Raises FailedPrecondition.
        """
        until, known = self._known.get(tenant, (0.0, ()))
        if time.monotonic() < until:
            return known
        examples = await self._kept(tenant).all(tenant)
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._workers, _calibrated, examples, self._settings)
        self._known[tenant] = (time.monotonic() + self._settings.calibration_seconds, found)
        return found

    async def add(
        self,
        tenant: str,
        principal: str,
        content: bytes,
        *,
        label: str,
        media_sha256: str,
        request_id: str,
    ) -> Example:
        """Keeps an example; an empty label is that of an ordinary picture.

        Raises InvalidArgument (label, picture), FailedPrecondition, ResourceExhausted (too many).
        """
        examples, model = self._kept(tenant), self.model(tenant)
        await self._check(tenant, label)
        loop = asyncio.get_running_loop()
        pixels = await loop.run_in_executor(self._workers, _decoded, content, model)
        name = "/".join((tenant, request_id))
        made = Example(
            id=str(uuid.uuid5(_REQUESTS, name) if request_id else uuid.uuid4()),
            label=label,
            media_sha256=media_sha256,
            added_ns=time.time_ns(),
            added_by=principal,
            features=await self._features(pixels, model),
        )
        await examples.add(tenant, made)
        self._known.pop(tenant, None)
        return made

    async def list(self, tenant: str, page_size: int, page_token: str) -> Page[Example]:
        """By id. Raises InvalidArgument (page token), FailedPrecondition."""
        size = page_size or self._settings.page_size
        return await self._kept(tenant).page(tenant, size, page_token)

    async def delete(self, tenant: str, id: str) -> None:
        """Gone on return. Raises NotFound, FailedPrecondition."""
        await self._kept(tenant).delete(tenant, id)
        self._known.pop(tenant, None)

    def _kept(self, tenant: str) -> Examples:
        if not self.on(tenant):
            raise FailedPrecondition(
                "this tenant's examples are off",
                remedy="set moderation.custom in the tenant registry",
            )
        if self._examples is None:
            raise FailedPrecondition(
                "no model that tells how pictures resemble each other is pulled",
                remedy="run: beholden models pull",
                reason="MODEL_OFF",
            )
        return self._examples

    async def _check(self, tenant: str, label: str) -> None:
        lists = {one.name.casefold() for one in self._rules[tenant].blocklists}
        if label.casefold() in self._names | lists:
            raise InvalidArgument("label", "is that of the taxonomy or of a list; choose another")
        if await self._kept(tenant).count(tenant) >= self._settings.max_examples:
            most = self._settings.max_examples
            raise ResourceExhausted(f"at most {most} examples are kept for a tenant; delete some")
        known = {one.label for one in await self.taught(tenant)}
        if label and label not in known and len(known) >= _MOST_LABELS:
            raise ResourceExhausted(f"at most {_MOST_LABELS} labels are kept for a tenant")

    async def _features(self, pixels: Pixels, model: ModelSpec) -> Template:
        loop = asyncio.get_running_loop()
        batch = await loop.run_in_executor(self._workers, labels.fit, pixels, model)
        outputs = await self._engine.infer(model, {model.inputs[0].name: batch})
        return unit(outputs[model.outputs[0].name][0])


def _calibrated(examples: Sequence[Example], settings: ModerationSettings) -> tuple[Taught, ...]:
    found = []
    for name in sorted({one.label for one in examples if one.label}):
        mine = np.array([one.label == name for one in examples])
        count, others = int(mine.sum()), int((~mine).sum())
        enough = count >= settings.min_examples and others >= settings.min_other_examples
        features = np.stack([one.features for one in examples])
        found.append(Taught(name, count, others, calibrate(features, mine) if enough else None))
    return tuple(found)


def _decoded(content: bytes, model: ModelSpec) -> Pixels:
    side = max(model.inputs[0].shape[1:3])
    return images.decode(content, max_side=2 * side).pixels
