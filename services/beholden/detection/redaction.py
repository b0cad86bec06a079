"""Look for what is to be hidden in a reduced picture, then hide it in the whole one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from beholden.core.errors import InvalidArgument
from beholden.core.faces import Pixels
from beholden.core.geometry import Box, Point
from beholden.core.models import ModelSpec
from beholden.core.ports import UnsafeFinder
from beholden.core.redaction import Redaction, RedactionKind, RedactionStyle, within
from beholden.detection.pipeline import DetectionPipeline
from beholden.detection.settings import DetectionSettings
from beholden.detection.text import TextPipeline
from beholden.vision import faces, headers, image, redact
from beholden.vision.encode import MIME_TYPES, encode_like
from beholden.vision.formats import identify
from beholden.vision.profiles import to_srgb
from beholden.vision.scaling import resized

_EVERYWHERE = Box(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Redacted:
    """The file with its regions hidden, what those are, who looked, and the upright size in pixels."""

    content: bytes
    mime_type: str
    redactions: tuple[Redaction, ...]
    models: tuple[ModelSpec, ...]
    width: int
    height: int


class RedactionPipeline:
    """A picture in, the same picture with less to be seen out; or an error, and no picture."""

    def __init__(
        self,
        faces: DetectionPipeline,
        text: TextPipeline,
        unsafe: UnsafeFinder,
        workers: Executor,
        settings: DetectionSettings,
    ) -> None:
        self._faces = faces
        self._text = text
        self._unsafe = unsafe
        self._workers = workers
        self._settings = settings

    async def redact(
        self,
        content: bytes,
        kinds: Collection[RedactionKind],
        style: RedactionStyle,
        min_unsafe_confidence: float | None = None,
    ) -> Redacted:
        """Hides what of `kinds` is found.

        Raises InvalidArgument (no readable picture, nothing to hide), FailedPrecondition (a role is
        off), and what the engines raise.
        """
        if not kinds:
            raise InvalidArgument("kinds", "must name what to hide")
        models = self._models(kinds)
        loop = asyncio.get_running_loop()
        picture = await loop.run_in_executor(self._workers, self._decoded, content)
        looks: Mapping[RedactionKind, Callable[[], Coroutine[Any, Any, list[Redaction]]]] = {
            RedactionKind.FACE: lambda: self._heads(picture.pixels),
            RedactionKind.TEXT: lambda: self._lines(picture.pixels),
            RedactionKind.UNSAFE: lambda: self._unfit(content, min_unsafe_confidence),
        }
        wanted = [kind for kind in RedactionKind if kind in kinds]
        told = await asyncio.gather(*(looks[kind]() for kind in wanted))
        found = tuple(one for part in told for one in part)
        # Only here is the whole picture in memory, and once for each thread.
        redacted, mime_type = await loop.run_in_executor(
            self._workers, _hidden, content, found, style
        )
        return Redacted(redacted, mime_type, found, models, picture.full_width, picture.full_height)

    def _models(self, kinds: Collection[RedactionKind]) -> tuple[ModelSpec, ...]:
        """Asked before anything is looked at: raises FailedPrecondition when a role is off."""
        models: list[ModelSpec] = []
        if RedactionKind.FACE in kinds:
            models.append(self._faces.model)
        if RedactionKind.TEXT in kinds:
            models.append(self._text.detector)
        if RedactionKind.UNSAFE in kinds:
            models.extend(self._unsafe.models)
        return tuple(models)

    async def _heads(self, pixels: Pixels) -> list[Redaction]:
        """Faces as large as the detector meets them otherwise, and the small ones of a larger view."""
        settings = self._settings.redaction
        views = [self._settings.side]
        loop = asyncio.get_running_loop()
        large = await loop.run_in_executor(self._workers, _enlarged, pixels, settings.side)
        if max(large.shape) > self._settings.side:
            views.append(settings.side)
        seen = [
            await self._faces.places(view, side=side, threshold=settings.face_confidence)
            for view, side in zip((pixels, large), views, strict=False)
        ]
        found = faces.together(seen)
        return [
            Redaction(
                RedactionKind.FACE,
                within(redact.around_head(Box(*box), settings.face_margin)),
                confidence,
            )
            for box, confidence in zip(found.boxes.tolist(), found.scores.tolist(), strict=True)
        ]

    async def _lines(self, pixels: Pixels) -> list[Redaction]:
        """Lines of text whatever they say: what cannot be read is hidden too."""
        settings = self._settings.redaction
        lines, _ = await self._text.places(
            pixels, side=settings.text_side, threshold=settings.text_confidence
        )
        size = np.array(pixels.shape[1::-1])
        corners = redact.grown(lines * size, settings.text_margin) / size
        return [
            Redaction(RedactionKind.TEXT, tuple(Point(x, y) for x, y in line))
            for line in corners.tolist()
        ]

    async def _unfit(self, content: bytes, least: float | None) -> list[Redaction]:
        return [
            Redaction(
                RedactionKind.UNSAFE,
                within(one.box or _EVERYWHERE),
                one.confidence,
                one.label,
                whole=one.box is None,
            )
            for one in await self._unsafe.find_unsafe(content, min_confidence=least)
        ]

    def _decoded(self, content: bytes) -> image.Picture:
        settings = self._settings
        side = max(settings.side, settings.redaction.side, settings.redaction.text_side)
        return image.decode(content, max_side=side)


def _enlarged(pixels: Pixels, side: int) -> Pixels:
    """Up to twice as large, within `side`."""
    height, width = pixels.shape[:2]
    ratio = min(2.0, side / max(height, width))
    return resized(pixels, round(width * ratio), round(height * ratio)) if ratio > 1 else pixels


def _hidden(
    content: bytes, redactions: Sequence[Redaction], style: RedactionStyle
) -> tuple[bytes, str]:
    """The file with its regions hidden, and what kind of file it is."""
    header = headers.read(content, identify(content))
    pixels = to_srgb(image.decode(content).pixels, header)
    redact.hide(pixels, [one.corners for one in redactions], style)
    return encode_like(header, pixels), MIME_TYPES[header.format]
