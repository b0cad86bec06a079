"""Find lines of text, cut them out, read them in batches of similar width, and tell their words."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from beholden.core.errors import FailedPrecondition, InvalidArgument
from beholden.core.faces import Pixels
from beholden.core.geometry import Box
from beholden.core.models import ModelSpec
from beholden.core.ports import InferenceEngine
from beholden.core.text import Line, Word
from beholden.detection.settings import DetectionSettings
from beholden.vision import image, text_lines, text_regions

_DOUBTFUL = 0.8  # a line read worse than this may stand on its head


@dataclass(frozen=True, slots=True)
class WordFilter:
    """Which words are told: the least confidence, and height and width as shares of the picture.

    A `min_confidence` of None is the operator's choice.
    """

    min_confidence: float | None = None
    min_height: float = 0.0
    min_width: float = 0.0


@dataclass(frozen=True, slots=True)
class Written:
    """Lines in reading order, the models that read them, and the upright picture's size in pixels."""

    lines: tuple[Line, ...]
    models: tuple[ModelSpec, ...]
    width: int
    height: int


class TextPipeline:
    """A picture in, lines and words out; implements `TextReader` for whoever minds what is written."""

    def __init__(
        self,
        engine: InferenceEngine,
        workers: Executor,
        settings: DetectionSettings,
        *,
        detector: ModelSpec | None,
        recogniser: ModelSpec | None,
    ) -> None:
        self._engine = engine
        self._workers = workers
        self._settings = settings
        self._detector = detector
        self._recogniser = recogniser

    @property
    def detector(self) -> ModelSpec:
        """What finds text. Raises FailedPrecondition when the role is off."""
        if self._detector is None:
            raise _off("detector")
        return self._detector

    @property
    def models(self) -> tuple[ModelSpec, ModelSpec]:
        """Those that find and read text. Raises FailedPrecondition when a role is off."""
        if self._recogniser is None:
            raise _off("recogniser")
        return self.detector, self._recogniser

    async def read(self, content: bytes) -> tuple[Line, ...]:
        """See `TextReader.read`."""
        return (await self.detect(content, WordFilter(min_confidence=0.0))).lines

    async def detect(
        self, content: bytes, wanted: WordFilter, regions: Sequence[Box] = ()
    ) -> Written:
        """Words whose middle lies in one of `regions`, or all where there are none.

        Raises InvalidArgument (no readable picture, a region outside it), FailedPrecondition (a role
        is off).
        """
        _check(regions)
        self.models  # noqa: B018 - raises before anything is decoded
        loop = asyncio.get_running_loop()
        picture = await loop.run_in_executor(self._workers, self._decoded, content)
        return await self._written(picture, wanted, regions)

    async def read_frame(self, pixels: Pixels, *, least: float | None) -> Sequence[Line]:
        """See `FrameReader.read_frame`."""
        height, width = pixels.shape[:2]
        picture = image.Picture(pixels, width, height)
        return (await self._written(picture, WordFilter(least), ())).lines

    async def _written(
        self, picture: image.Picture, wanted: WordFilter, regions: Sequence[Box]
    ) -> Written:
        if wanted.min_confidence is None:
            wanted = replace(wanted, min_confidence=self._settings.min_word_confidence)
        detector, recogniser = self.models
        lines, scores = await self.places(picture.pixels, side=self._settings.text_side)
        if regions:
            touching = [_touches(line, regions) for line in lines]
            lines, scores = lines[touching], scores[touching]
        read = zip(await self._read(picture, lines, recogniser), scores.tolist(), strict=True)
        sure = [text_lines.doubted(line, score) for line, score in read if line is not None]
        kept = [_kept(line, wanted, regions) for line in sure]
        return Written(
            lines=tuple(line for line in kept if line is not None),
            models=(detector, recogniser),
            width=picture.full_width,
            height=picture.full_height,
        )

    async def places(
        self, pixels: Pixels, *, side: int, threshold: float | None = None
    ) -> text_regions.Places:
        """Where lines are, in any script.

        They are sought at `side` pixels; with a `threshold` of one's own, all of them are told.
        Raises FailedPrecondition (the role is off).
        """
        model, most = self.detector, text_regions.MAX_LINES
        if threshold is not None:
            model = replace(model, parameters={**model.parameters, "score_threshold": threshold})
            most = text_regions.ALL_LINES
        loop = asyncio.get_running_loop()
        seen = await loop.run_in_executor(self._workers, text_regions.detector_input, pixels, side)
        maps = await self._engine.infer(model, {model.inputs[0].name: seen.batch})
        probabilities = maps[model.outputs[0].name][0, 0]
        return await loop.run_in_executor(
            self._workers, text_regions.find_lines, probabilities, model, seen, most
        )

    async def _read(
        self, picture: image.Picture, places: NDArray[np.float32], model: ModelSpec
    ) -> list[Line | None]:
        """What each line says; a doubtful one is turned on its head, and the surer reading counts."""
        lines = await self._spelt(picture, dict(enumerate(places)), model)
        doubtful = {
            index: np.roll(places[index], 2, axis=0)
            for index in range(len(places))
            if (line := lines.get(index)) is None or line.confidence < _DOUBTFUL
        }
        for index, turned in (await self._spelt(picture, doubtful, model)).items():
            upright = lines.get(index)
            if upright is None or turned.confidence > upright.confidence:
                lines[index] = turned
        return [lines.get(index) for index in range(len(places))]

    async def _spelt(
        self, picture: image.Picture, places: dict[int, NDArray[np.float32]], model: ModelSpec
    ) -> dict[int, Line]:
        loop = asyncio.get_running_loop()

        def cut() -> list[text_lines.Strip]:
            return [text_lines.cut(picture.pixels, index, place) for index, place in places.items()]

        strips = await loop.run_in_executor(self._workers, cut)
        points, sure = (output.name for output in model.outputs)
        found: dict[int, Line] = {}
        for part, batch in text_lines.batches(strips):
            answer = await self._engine.infer(model, {model.inputs[0].name: batch})
            found |= await loop.run_in_executor(
                self._workers, _spelt, part, answer[points], answer[sure], places
            )
        return found

    def _decoded(self, content: bytes) -> image.Picture:
        return image.decode(content, max_side=self._settings.text_detail_side)


def _off(what: str) -> FailedPrecondition:
    return FailedPrecondition(
        f"no text {what} is pulled", remedy="run: beholden models pull", reason="MODEL_OFF"
    )


def _spelt(
    part: Sequence[text_lines.Strip],
    characters: NDArray[np.int32],
    confidences: NDArray[np.float32],
    places: Mapping[int, NDArray[np.float32]],
) -> dict[int, Line]:
    """What the strips of a batch say, less those that say nothing."""
    read = {
        strip.index: text_lines.spell(points, sure, strip, places[strip.index])
        for strip, points, sure in zip(part, characters, confidences, strict=True)
    }
    return {index: line for index, line in read.items() if line is not None}


def _check(regions: Sequence[Box]) -> None:
    """Raises InvalidArgument for a region that is not within the picture, or has no area."""
    for place, box in enumerate(regions):
        for low, high, name in ((box.x_min, box.x_max, "x"), (box.y_min, box.y_max, "y")):
            if not 0 <= low < high <= 1:
                raise InvalidArgument(
                    f"regions[{place}]",
                    f"must have 0 <= {name}_min < {name}_max <= 1, shares of the picture; "
                    f"not {low:g} and {high:g}",
                )


def _touches(place: NDArray[np.float32], regions: Sequence[Box]) -> bool:
    (left, top), (right, bottom) = place.min(axis=0), place.max(axis=0)
    return any(
        left < box.x_max and right > box.x_min and top < box.y_max and bottom > box.y_min
        for box in regions
    )


def _kept(line: Line, wanted: WordFilter, regions: Sequence[Box]) -> Line | None:
    """The line with the words that are wanted, or None where none is."""
    words = tuple(word for word in line.words if _wanted(word, wanted, regions))
    return replace(line, words=words) if words else None


def _wanted(word: Word, wanted: WordFilter, regions: Sequence[Box]) -> bool:
    box = word.box
    x, y = (box.x_min + box.x_max) / 2, (box.y_min + box.y_max) / 2
    return (
        word.confidence >= (wanted.min_confidence or 0)
        and box.height >= wanted.min_height
        and box.width >= wanted.min_width
        and (
            not regions
            or any(one.x_min <= x <= one.x_max and one.y_min <= y <= one.y_max for one in regions)
        )
    )
