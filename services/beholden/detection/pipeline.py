"""Decode at the detector's scale, ask it, read its maps, measure each face, tell what was asked of it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from beholden.core.attributes import FaceAttribute, FaceAttributes
from beholden.core.errors import FailedPrecondition
from beholden.core.faces import DetectedFace, Pixels
from beholden.core.models import ModelSpec
from beholden.core.ports import InferenceEngine, Tensor
from beholden.detection.attributes import AttributePipeline
from beholden.detection.settings import DetectionSettings
from beholden.vision import faces, image
from beholden.vision.describe import describe


@dataclass(frozen=True, slots=True)
class Detection:
    """Faces, largest first, and the upright picture's size in pixels.

    `attributes` has what was asked of each face, in their order; `models` are those that told it.
    """

    faces: tuple[DetectedFace, ...]
    width: int
    height: int
    attributes: tuple[FaceAttributes, ...]
    models: tuple[ModelSpec, ...]


class DetectionPipeline:
    """Implements `FaceFinder` for whoever has pixels already; `detect_faces` is for pictures."""

    def __init__(
        self,
        engine: InferenceEngine,
        model: ModelSpec | None,
        workers: Executor,
        settings: DetectionSettings,
        attributes: AttributePipeline | None = None,
    ) -> None:
        self._engine = engine
        self._model = model
        self._workers = workers
        self._settings = settings
        self._attributes = attributes or AttributePipeline(engine, {}, workers)

    @property
    def model(self) -> ModelSpec:
        """The detector. Raises FailedPrecondition when the role is off."""
        if self._model is None:
            raise FailedPrecondition(
                "no face detector is pulled",
                remedy="run: beholden models pull",
                reason="MODEL_OFF",
            )
        return self._model

    async def detect_faces(
        self,
        content: bytes,
        *,
        min_confidence: float | None,
        max_faces: int,
        attributes: Collection[FaceAttribute] | None = (),
        withheld: Collection[FaceAttribute] = (),
    ) -> Detection:
        """`attributes` are what is asked of each face; None is all that a pulled model can tell.

        What is `withheld` would not reach the caller, and no model is asked for it.
        Raises InvalidArgument (no readable picture), FailedPrecondition (role off).
        """
        _ = self.model
        asked = self._attributes.obtainable() if attributes is None else attributes
        wanted = frozenset(asked).difference(withheld)
        models = self._attributes.models(wanted)
        loop = asyncio.get_running_loop()
        picture = await loop.run_in_executor(self._workers, self._decoded, content)
        found = await self.find(picture.pixels, scale=picture.scale)
        least = 0.0 if min_confidence is None else min_confidence
        sure = [face for face in found if face.confidence >= least]
        limit = max_faces or self._settings.max_faces
        kept = tuple(sure[:limit])
        return Detection(
            faces=kept,
            width=picture.full_width,
            height=picture.full_height,
            attributes=await self._attributes.tell(picture.pixels, kept, wanted),
            models=models,
        )

    async def find(self, pixels: Pixels, *, scale: float = 1.0) -> Sequence[DetectedFace]:
        """See `FaceFinder.find`."""
        seen, maps = await self._looked(pixels, self._settings.side)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._workers, _measured, maps, self.model, seen, pixels, scale
        )

    async def places(self, pixels: Pixels, *, side: int, threshold: float) -> faces.FoundFaces:
        """Where something of at least `threshold` is that may be a face, sought at `side` pixels."""
        seen, maps = await self._looked(pixels, side)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, _found, maps, self.model, seen, threshold)

    async def _looked(
        self, pixels: Pixels, side: int
    ) -> tuple[faces.DetectorInput, Mapping[str, Tensor]]:
        model = self.model
        loop = asyncio.get_running_loop()
        seen = await loop.run_in_executor(self._workers, faces.detector_input, pixels, side)
        return seen, await self._engine.infer(model, {model.inputs[0].name: seen.batch})

    def _decoded(self, content: bytes) -> image.Picture:
        return image.decode(content, max_side=self._settings.side)


def _measured(
    maps: Mapping[str, Tensor],
    model: ModelSpec,
    seen: faces.DetectorInput,
    pixels: Pixels,
    scale: float,
) -> Sequence[DetectedFace]:
    """The maps' faces, each with its pose and the quality of its pixels."""
    found = _found(maps, model, seen, model.parameters["score_threshold"])
    return describe(pixels, found, scale=scale)


def _found(
    maps: Mapping[str, Tensor], model: ModelSpec, seen: faces.DetectorInput, threshold: float
) -> faces.FoundFaces:
    return faces.find_faces(
        maps,
        width=seen.width,
        height=seen.height,
        threshold=threshold,
        iou=model.parameters["nms_iou"],
    )
