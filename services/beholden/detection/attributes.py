"""Asks each attribute model once for all faces of a picture, and reads what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace

import numpy as np

from beholden.core.attributes import FaceAttribute, FaceAttributes
from beholden.core.errors import FailedPrecondition
from beholden.core.faces import DetectedFace, Pixels
from beholden.core.models import (
    FACE_AGE_GENDER,
    FACE_ANTISPOOF,
    FACE_EMOTION,
    FACE_LIVENESS,
    ModelSpec,
)
from beholden.core.ports import InferenceEngine, Tensor
from beholden.vision import attributes as vision

_ROLES = {
    FaceAttribute.AGE_RANGE: FACE_AGE_GENDER,
    FaceAttribute.GENDER_PRESENTATION: FACE_AGE_GENDER,
    FaceAttribute.EMOTIONS: FACE_EMOTION,
    FaceAttribute.LIVENESS: FACE_LIVENESS,
    FaceAttribute.SPOOF_SCORE: FACE_ANTISPOOF,
}

ROLES = tuple(sorted(set(_ROLES.values())))
"""The roles whose models tell attributes."""


class AttributePipeline:
    """Faces of a picture in, what they seem to tell out."""

    def __init__(
        self, engine: InferenceEngine, models: Mapping[str, ModelSpec | None], workers: Executor
    ) -> None:
        self._engine = engine
        self._models = {role: models.get(role) for role in ROLES}
        self._workers = workers

    def obtainable(self) -> frozenset[FaceAttribute]:
        """The attributes whose model is pulled."""
        return frozenset(one for one, role in _ROLES.items() if self._models[role] is not None)

    def models(self, wanted: Collection[FaceAttribute]) -> tuple[ModelSpec, ...]:
        """The models that tell `wanted`. Raises FailedPrecondition when one's role is off."""
        found = []
        for role in sorted({_ROLES[one] for one in wanted}):
            model = self._models[role]
            if model is None:
                missing = next(one.name for one in wanted if _ROLES[one] == role)
                raise FailedPrecondition(
                    f"no model is pulled that tells {missing}",
                    remedy="run: beholden models pull",
                    reason="MODEL_OFF",
                )
            found.append(model)
        return tuple(found)

    async def tell(
        self, pixels: Pixels, faces: Sequence[DetectedFace], wanted: Collection[FaceAttribute]
    ) -> tuple[FaceAttributes, ...]:
        """What of `wanted` each face tells, in their order.

        Raises FailedPrecondition when a role is off, and what the engine raises.
        """
        models = self.models(wanted)
        told = [FaceAttributes()] * len(faces)
        answers = await asyncio.gather(*(self._asked(model, pixels, faces) for model in models))
        for model, answer in zip(models, answers, strict=True):
            told = [
                _read(one, model, {name: values[row] for name, values in answer.items()}, wanted)
                for row, one in enumerate(told)
            ]
        return tuple(told)

    async def _asked(
        self, model: ModelSpec, pixels: Pixels, faces: Sequence[DetectedFace]
    ) -> Mapping[str, Tensor]:
        """The model's answers, one row a face; a crowd's crops are never all in memory at once."""
        loop = asyncio.get_running_loop()
        (tensor,) = model.inputs
        parts = []
        for start in range(0, len(faces), model.max_batch):
            group = faces[start : start + model.max_batch]
            batch = await loop.run_in_executor(
                self._workers,
                vision.crops,
                pixels,
                group,
                tensor.shape[1],
                model.parameters["margin"],
            )
            parts.append(await self._engine.infer(model, {tensor.name: batch}))
        return {
            one.name: np.concatenate([part[one.name] for part in parts]) if parts else np.empty(0)
            for one in model.outputs
        }


def _read(
    told: FaceAttributes,
    model: ModelSpec,
    answer: Mapping[str, Tensor],
    wanted: Collection[FaceAttribute],
) -> FaceAttributes:
    """`told` with what of `wanted` one model says about a face."""
    match model.role:
        case "face-age-gender":
            if FaceAttribute.AGE_RANGE in wanted:
                ages = vision.age_range(answer["ages"], model.parameters["coverage"])
                told = replace(told, age_range=ages)
            if FaceAttribute.GENDER_PRESENTATION in wanted:
                presentation = vision.gender_presentation(answer["masculine"][0])
                told = replace(told, gender_presentation=presentation)
        case "face-emotion":
            told = replace(told, emotions=vision.emotions(answer["emotions"], model.labels))
        case "face-liveness":
            told = replace(told, liveness=vision.probability(answer["liveness"][0]))
        case "face-antispoof":
            told = replace(told, spoof_score=1 - vision.probability(answer["real"][0]))
    return told
