"""Decode at the model's size, ask the moderator, read its classes in the taxonomy."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass

from beholden.core.errors import FailedPrecondition
from beholden.core.models import ModelSpec
from beholden.core.ports import InferenceEngine, Tensor
from beholden.core.redaction import Unsafe
from beholden.moderation.settings import ModerationSettings
from beholden.vision import image as images
from beholden.vision import moderation


@dataclass(frozen=True, slots=True)
class Verdict:
    """Labels, most confident first, the kinds of picture told beside them, and who spoke."""

    labels: tuple[moderation.ModerationLabel, ...]
    content_types: tuple[str, ...]
    model: ModelSpec


class ModerationPipeline:
    """A picture in, labels out; implements `UnsafeFinder` for whoever hides what is unsafe."""

    def __init__(
        self,
        engine: InferenceEngine,
        model: ModelSpec | None,
        workers: Executor,
        settings: ModerationSettings,
    ) -> None:
        self._engine = engine
        self._model = model
        self._workers = workers
        self._settings = settings

    @property
    def models(self) -> tuple[ModelSpec]:
        """Those that look. Raises FailedPrecondition when the role is off."""
        if self._model is None:
            raise FailedPrecondition(
                "no moderation model is pulled",
                remedy="run: beholden models pull",
                reason="MODEL_OFF",
            )
        return (self._model,)

    async def moderate(self, image: bytes, min_confidence: float | None) -> Verdict:
        """Raises InvalidArgument (no readable picture), FailedPrecondition (role off)."""
        (model,) = self.models
        loop = asyncio.get_running_loop()
        batch = await loop.run_in_executor(self._workers, _prepared, image, model)
        outputs = await self._engine.infer(model, {model.inputs[0].name: batch})
        least = self._settings.min_confidence if min_confidence is None else min_confidence
        labels, content_types = moderation.read(outputs["probabilities"][0], least)
        return Verdict(labels, content_types, model)

    async def find_unsafe(
        self, image: bytes, *, min_confidence: float | None
    ) -> tuple[Unsafe, ...]:
        """See `UnsafeFinder.find_unsafe`. The model judges whole pictures: nothing has a box."""
        verdict = await self.moderate(image, min_confidence)
        return tuple(Unsafe(label.name, label.confidence) for label in verdict.labels)


def _prepared(image: bytes, model: ModelSpec) -> Tensor:
    side = model.inputs[0].shape[1]
    return moderation.fit(images.decode(image, max_side=2 * side).pixels, side)
