"""What one service asks another to find in pictures, whether it runs in this process or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from beholden.core.bodies import Body
from beholden.core.faces import DetectedFace, EmbeddedFace, Pixels, Template
from beholden.core.gallery import (
    Face,
)
from beholden.core.geometry import Box
from beholden.core.labels import Label
from beholden.core.models import ModelSpec
from beholden.core.redaction import Unsafe
from beholden.core.text import Line


class FaceFinder(Protocol):
    """Finds faces in pixels: the detection pipeline in process, or its service over gRPC."""

    async def find(self, pixels: Pixels, *, scale: float = 1.0) -> Sequence[DetectedFace]:
        """Every face over the detector's threshold, largest first.

        `scale` is what the pixels were reduced by against the full picture (0.5: half its width),
        so that `DetectedFace.size` counts the full picture's pixels.
        """
        ...

    @property
    def model(self) -> ModelSpec:
        """The detector. Raises FailedPrecondition when the role is off."""
        ...


class LabelFinder(Protocol):
    """Names what frames show: the label pipeline in process."""

    async def objects(self, frames: Sequence[Pixels], *, least: float) -> Sequence[Sequence[Label]]:
        """Each frame's objects of at least `least`, with their instances. Raises FailedPrecondition."""
        ...

    async def scenes(self, frames: Sequence[Pixels], *, least: float) -> Sequence[Sequence[Label]]:
        """What each whole frame shows; nothing where no model can tell."""
        ...

    @property
    def models(self) -> tuple[ModelSpec, ...]:
        """Those that look; empty where both roles are off."""
        ...


class BodyFinder(Protocol):
    """Finds the points of people's bodies: the pose pipeline in process."""

    async def bodies(self, pixels: Pixels, boxes: Sequence[Box]) -> Sequence[Body]:
        """The body of the person in each box; none where no model is pulled."""
        ...

    @property
    def models(self) -> tuple[ModelSpec, ...]:
        """Those that look; empty where the role is off."""
        ...


class ActionFinder(Protocol):
    """Names what happens in a few frames of a video: the action pipeline in process."""

    async def actions(self, frames: Sequence[Pixels]) -> Mapping[str, float]:
        """How likely each action is, in [0, 1], in as many frames of one size as the model wants."""
        ...

    @property
    def model(self) -> ModelSpec | None:
        """The one that looks; None where the role is off."""
        ...


class FrameReader(Protocol):
    """Reads what is written in a frame: the text pipeline in process."""

    async def read_frame(self, pixels: Pixels, *, least: float | None) -> Sequence[Line]:
        """Lines in reading order; `least` None is the operator's choice. Raises FailedPrecondition."""
        ...

    @property
    def models(self) -> Sequence[ModelSpec]:
        """Those that read. Raises FailedPrecondition when a role is off."""
        ...


class Moderator(Protocol):
    """Tells unsafe content in frames: the moderation pipeline in process."""

    async def judge(
        self, frames: Sequence[Pixels], *, tenant: str, least: float | None
    ) -> Sequence[Mapping[str, float]]:
        """Each frame's labels and their confidence, by the tenant's rules. Raises FailedPrecondition."""
        ...

    @property
    def models(self) -> Sequence[ModelSpec]:
        """Those that judge. Raises FailedPrecondition when the role is off."""
        ...


class FaceMatcher(Protocol):
    """Finds a collection's faces that are like one in a picture: embedding and search together."""

    async def check(self, tenant: str, collection: str) -> None:
        """Raises NotFound, FailedPrecondition (no embedder, or the collection is another's)."""
        ...

    async def embed(self, pixels: Pixels, face: DetectedFace) -> Template:
        """The unit template of a face that lies in `pixels`."""
        ...

    async def search(
        self,
        template: Template,
        *,
        tenant: str,
        collection: str,
        limit: int,
        least: float | None,
    ) -> Sequence[tuple[Face, float]]:
        """Enrolled faces and their similarity, most alike first; of at least `least` or the default."""
        ...

    @property
    def models(self) -> Sequence[ModelSpec]:
        """Those that compare. Raises FailedPrecondition when the role is off."""
        ...


class Embedder(Protocol):
    """Turns a picture into faces with templates: the embedding pipeline, or its service over gRPC."""

    async def embed(self, image: bytes, *, max_faces: int, field: str) -> Sequence[EmbeddedFace]:
        """The `max_faces` largest faces with unit templates, largest first; empty when there is none.

        Raises InvalidArgument naming `field` for bytes that are no readable picture.
        """
        ...

    @property
    def model(self) -> ModelSpec:
        """The embedder. Raises FailedPrecondition when the role is off."""
        ...


class UnsafeFinder(Protocol):
    """Tells what is unsafe to show, and where: the moderation pipeline, or its service over gRPC."""

    async def find_unsafe(self, image: bytes, *, min_confidence: float | None) -> Sequence[Unsafe]:
        """What is unsafe by the rules of the tenant that calls; `min_confidence` as in ModerateImage.

        What one model tells of the whole picture and another finds in places has a box only where
        those places are all of it. Raises InvalidArgument for bytes that are no readable picture.
        """
        ...

    @property
    def models(self) -> Sequence[ModelSpec]:
        """Those that look. Raises FailedPrecondition when the role is off."""
        ...


class TextReader(Protocol):
    """Reads what is written in a picture: the text pipeline in process, or its service over gRPC."""

    async def read(self, content: bytes) -> Sequence[Line]:
        """Every line, however doubtful, in reading order.

        Raises InvalidArgument (no readable picture), FailedPrecondition when a role is off.
        """
        ...

    @property
    def models(self) -> Sequence[ModelSpec]:
        """Those that read. Raises FailedPrecondition when a role is off."""
        ...
