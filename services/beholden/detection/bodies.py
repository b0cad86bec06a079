"""Asks the pose model for the bodies of people whose boxes are known."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np

from beholden.core.bodies import Body
from beholden.core.faces import Pixels
from beholden.core.geometry import Box
from beholden.core.models import ModelSpec
from beholden.core.ports import InferenceEngine
from beholden.vision import bodies


class BodyPipeline:
    """A picture and boxes in, bodies out. Implements `core.ports.BodyFinder`."""

    def __init__(self, engine: InferenceEngine, workers: Executor, model: ModelSpec | None) -> None:
        self._engine = engine
        self._workers = workers
        self.models = () if model is None else (model,)

    async def bodies(self, pixels: Pixels, boxes: Sequence[Box]) -> list[Body]:
        """See `BodyFinder.bodies`. Raises what the engine raises."""
        if not self.models or not boxes:
            return []
        (model,) = self.models
        (tensor,), (output,) = model.inputs, model.outputs
        loop = asyncio.get_running_loop()
        margin = model.parameters["margin"]
        parts = []
        # A crowd's crops are never all in memory at once.
        for start in range(0, len(boxes), model.max_batch):
            group = boxes[start : start + model.max_batch]
            batch = await loop.run_in_executor(
                self._workers, bodies.crops, pixels, group, tensor.shape[1], margin
            )
            parts.append((await self._engine.infer(model, {tensor.name: batch}))[output.name])
        height, width = pixels.shape[:2]
        return bodies.read(np.concatenate(parts), boxes, width, height, margin)
