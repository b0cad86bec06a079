"""Asks a clip classifier what happens in a few frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from beholden.core.faces import Pixels
from beholden.core.models import ModelSpec
from beholden.core.ports import InferenceEngine
from beholden.vision import labels


class ActionPipeline:
    """Frames in, actions out. Implements `core.ports.ActionFinder`."""

    def __init__(self, engine: InferenceEngine, model: ModelSpec | None) -> None:
        self._engine = engine
        self.model = model

    async def actions(self, frames: Sequence[Pixels]) -> Mapping[str, float]:
        """See `ActionFinder.actions`. Raises what the engine raises."""
        assert self.model is not None
        batch = np.stack(frames)[None]
        outputs = await self._engine.infer(self.model, {self.model.inputs[0].name: batch})
        told = labels.read(outputs, self.model)
        return dict(zip(self.model.labels, told.tolist(), strict=True))
