"""Compares the embedders of the catalogue on pictures whose people are known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beholden.catalog.entries import load_catalog
from beholden.catalog.repository import available, check, remedy
from beholden.core.errors import FailedPrecondition, InvalidArgument
from beholden.core.faces import DetectedFace
from beholden.core.models import FACE_DETECTOR, FACE_EMBEDDER, ModelSpec
from beholden.detection.pipeline import DetectionPipeline
from beholden.embedding.pipeline import embedded
from beholden.inference.open import open_inference
from beholden.runtime.settings import Settings
from beholden.vision import image, verification
from beholden.vision.enrolment import NO_LIMITS, EnrolmentLimits, enrolment_problems


@dataclass(frozen=True, slots=True)
class Pictures:
    """What to compare on: `people` are each one's pictures; in one picture of `groups` all are strangers."""

    people: Mapping[str, Sequence[Path]]
    groups: Sequence[Path] = ()


@dataclass(slots=True)
class Seen:
    """What was found: usable faces, pictures without one, files that are no pictures."""

    faces: int = 0
    left_out: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Compared:
    """One embedder's cosines: of pairs of one person, of two, and of strangers in one picture."""

    model: ModelSpec
    genuine: NDArray[np.float32]
    impostor: NDArray[np.float32]
    strangers: NDArray[np.float32]


def embedders(settings: Settings, names: Sequence[str]) -> list[ModelSpec]:
    """Those of `names` (all that are pulled where empty), in the order named.

    Raises InvalidArgument for a name that is no embedder's, FailedPrecondition for what is not pulled.
    """
    catalog = load_catalog(settings.catalog)
    if names:
        found = [available(catalog, settings.model_repository, FACE_EMBEDDER, one) for one in names]
    else:
        reports = [
            (entry, check(entry, settings.model_repository))
            for entry in catalog.candidates(FACE_EMBEDDER)
        ]
        found = [entry.spec(report.digest) for entry, report in reports if report.ok]
    if not found:
        raise FailedPrecondition(
            "no face embedder is pulled", remedy=remedy(catalog, FACE_EMBEDDER)
        )
    return [model for model in found if model]


async def compare(
    settings: Settings,
    models: Sequence[ModelSpec],
    pictures: Pictures,
    *,
    every_face: bool = False,
    progress: Callable[[], None] = lambda: None,
) -> tuple[list[Compared], Seen]:
    """Every model over the same faces: those that enrolment takes, or with `every_face` all.

    Of a person's picture the largest face counts. `progress` is called after each picture. Faces
    are found once. Raises FailedPrecondition without a detector.
    """
    catalog = load_catalog(settings.catalog)
    detector = available(catalog, settings.model_repository, FACE_DETECTOR)
    if detector is None:
        raise FailedPrecondition(
            "no face detector is pulled", remedy=remedy(catalog, FACE_DETECTOR)
        )
    async with AsyncExitStack() as stack:
        workers = stack.enter_context(ThreadPoolExecutor(settings.workers, "worker"))
        engine = await open_inference(
            settings.inference_url,
            settings.model_repository,
            [detector, *models],
            settings.inference,
        )
        stack.push_async_callback(engine.close)
        finder = DetectionPipeline(engine, detector, workers, settings.detection)
        limits = NO_LIMITS if every_face else settings.enrolment
        seen = Seen()

        async def templates(file: Path, most: int | None) -> list[NDArray[np.float32]]:
            """For each model the templates (N, D) of the picture's usable faces."""
            try:
                content = await asyncio.to_thread(file.read_bytes)
                picture = await asyncio.to_thread(
                    image.decode, content, max_side=settings.embedding.side
                )
            except (OSError, InvalidArgument):
                seen.unreadable.append(str(file))
                progress()
                return [np.zeros((0, 1), np.float32) for _ in models]
            found = await finder.find(picture.pixels, scale=picture.scale)
            kept = _usable(found[:most], limits)
            if not kept:
                seen.left_out.append(str(file))
            seen.faces += len(kept)
            made = [
                await embedded(engine, model, workers, picture.pixels, kept) for model in models
            ]
            progress()
            return [np.array([one.template for one in faces], np.float32) for faces in made]

        labelled = [
            (number, await templates(file, 1))
            for number, files in enumerate(pictures.people.values())
            for file in files
        ]
        grouped = [await templates(file, None) for file in pictures.groups]
    return [
        _compared(model, [(who, each[turn]) for who, each in labelled], [g[turn] for g in grouped])
        for turn, model in enumerate(models)
    ], seen


def _compared(
    model: ModelSpec,
    labelled: Sequence[tuple[int, NDArray[np.float32]]],
    grouped: Sequence[NDArray[np.float32]],
) -> Compared:
    there = [(who, made[0]) for who, made in labelled if len(made)]
    genuine, impostor = verification.pairs(
        np.array([template for _, template in there], np.float32).reshape(len(there), -1),
        np.array([who for who, _ in there], np.int64),
    )
    strangers = [
        verification.pairs(made, np.arange(len(made)))[1] for made in grouped if len(made) > 1
    ]
    return Compared(model, genuine, impostor, np.concatenate([np.zeros(0, np.float32), *strangers]))


def _usable(faces: Sequence[DetectedFace], limits: EnrolmentLimits) -> Sequence[DetectedFace]:
    return [face for face in faces if not enrolment_problems(face, limits)]
