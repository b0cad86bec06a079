"""Decode once, find faces, cut and straighten them, ask the embedder in one batch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from beholden.core.errors import FailedPrecondition, InvalidArgument
from beholden.core.faces import DetectedFace, EmbeddedFace, Pixels, Template
from beholden.core.models import ModelSpec
from beholden.core.ports import FaceFinder, InferenceEngine, Tensor
from beholden.embedding.settings import EmbeddingSettings
from beholden.vision import align, image, templates


@dataclass(frozen=True, slots=True)
class Comparison:
    """The source's largest face; target faces over the threshold, most alike first; the others."""

    source: DetectedFace
    matches: tuple[tuple[DetectedFace, float], ...]
    unmatched: tuple[DetectedFace, ...]


class EmbeddingPipeline:
    """Implements `Embedder`, and compares two pictures."""

    def __init__(
        self,
        engine: InferenceEngine,
        model: ModelSpec | None,
        finder: FaceFinder,
        workers: Executor,
        settings: EmbeddingSettings,
    ) -> None:
        self._engine = engine
        self._model = model
        self._finder = finder
        self._workers = workers
        self._settings = settings

    @property
    def model(self) -> ModelSpec:
        """The embedder. Raises FailedPrecondition when the role is off."""
        if self._model is None:
            raise FailedPrecondition(
                "no face embedder is pulled",
                remedy="run: beholden models pull",
                reason="MODEL_OFF",
            )
        return self._model

    async def embed(
        self, image: bytes, *, max_faces: int = 0, field: str = "image.content"
    ) -> Sequence[EmbeddedFace]:
        """See `Embedder.embed`; `max_faces` 0 is the setting's."""
        self.model  # noqa: B018 - raises before anything is decoded
        loop = asyncio.get_running_loop()
        picture = await loop.run_in_executor(self._workers, self._decoded, image, field)
        found = await self._finder.find(picture.pixels, scale=picture.scale)
        kept = found[: max_faces or self._settings.max_faces]
        return await embedded(self._engine, self.model, self._workers, picture.pixels, kept)

    async def embed_found(self, pixels: Pixels, face: DetectedFace) -> Template:
        """The unit template of a face that was found already; its landmarks are shares of `pixels`."""
        (made,) = await embedded(self._engine, self.model, self._workers, pixels, [face])
        return made.template

    async def compare(
        self, source: bytes, target: bytes, min_similarity: float | None
    ) -> Comparison:
        """Raises InvalidArgument (no readable picture, no face in the source)."""
        probes, others = await asyncio.gather(
            self.embed(source, max_faces=1, field="source.content"),
            self.embed(target, field="target.content"),
        )
        if not probes:
            raise InvalidArgument("source.content", "shows no face", reason="NO_FACE")
        least = self._settings.min_similarity if min_similarity is None else min_similarity
        scale = self.model.parameters
        scores = [
            templates.similarity(
                float(np.dot(probes[0].template, other.template)),
                scale["similarity_midpoint"],
                scale["similarity_slope"],
            )
            for other in others
        ]
        pairs = [(other.face, score) for other, score in zip(others, scores, strict=True)]
        return Comparison(
            source=probes[0].face,
            matches=tuple(
                sorted((pair for pair in pairs if pair[1] >= least), key=lambda pair: -pair[1])
            ),
            unmatched=tuple(face for face, score in pairs if score < least),
        )

    def _decoded(self, content: bytes, field: str) -> image.Picture:
        return image.decode(content, field=field, max_side=self._settings.side)


async def embedded(
    engine: InferenceEngine,
    model: ModelSpec,
    workers: Executor,
    pixels: Pixels,
    faces: Sequence[DetectedFace],
) -> Sequence[EmbeddedFace]:
    """The faces of a picture with `model`'s unit templates, in their order."""
    if not faces:
        return ()
    loop = asyncio.get_running_loop()
    chips = await loop.run_in_executor(workers, _chips, model, pixels, faces)
    outputs = await engine.infer(model, {model.inputs[0].name: chips})
    plain, mirrored = np.split(outputs[model.outputs[0].name], 2)
    return tuple(map(EmbeddedFace, faces, templates.mirror_sum(plain, mirrored)))


def _chips(model: ModelSpec, pixels: Pixels, faces: Sequence[DetectedFace]) -> Tensor:
    """Each face's chip, then each one's mirror image: uint8 (2 N, S, S, 3)."""
    side = model.inputs[0].shape[1]
    template = align.template_for(model.alignment, side)
    cut = align.chips(pixels, np.array([_points(face) for face in faces]), template, side)
    return np.concatenate([cut, align.mirror(cut)])


def _points(face: DetectedFace) -> list[tuple[float, float]]:
    return [(point.x, point.y) for point in face.landmarks.points()]
