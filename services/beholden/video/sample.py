"""Frames that are looked at, and those who look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from beholden.core.errors import FailedPrecondition
from beholden.core.faces import Pixels
from beholden.core.models import ModelSpec
from beholden.core.ports import (
    ActionFinder,
    BodyFinder,
    FaceFinder,
    FaceMatcher,
    FrameReader,
    LabelFinder,
    Moderator,
)
from beholden.video.features import Feature


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame that is looked at.

    `length_us` is how long a frame is shown; `scale` what the pixels were reduced by. `shot` says that
    it begins a shot; `close` that it is looked at on its own, and `scene` that so is what changes
    slowly (text, what the whole frame shows); `step` that it is one of those that make a clip.
    """

    time_us: int
    length_us: int
    pixels: Pixels
    scale: float
    shot: bool
    scene: bool
    close: bool = True
    step: bool = False


@dataclass(frozen=True, slots=True)
class Eyes:
    """The services that look, by the port of each."""

    labels: LabelFinder
    faces: FaceFinder
    matcher: FaceMatcher
    text: FrameReader
    moderator: Moderator
    bodies: BodyFinder
    actions: ActionFinder

    def models(self, features: Sequence[Feature]) -> list[ModelSpec]:
        """Those that will look. Raises FailedPrecondition where a feature has none."""
        found: list[ModelSpec] = []
        for feature in features:
            match feature:
                case Feature.LABELS:
                    models = self.labels.models
                case Feature.PEOPLE:
                    models = self.labels.models and (*self.labels.models, *self.bodies.models)
                case Feature.ACTIVITIES:
                    own = (self.actions.model,) if self.actions.model is not None else ()
                    models = self.labels.models and (*self.labels.models, *self.bodies.models, *own)
                case Feature.FACES | Feature.REDACTION:
                    models = (self.faces.model,)
                case Feature.FACE_SEARCH:
                    models = (self.faces.model, *self.matcher.models)
                case Feature.TEXT:
                    models = tuple(self.text.models)
                case Feature.MODERATION:
                    models = tuple(self.moderator.models)
                case Feature.SEGMENTS:
                    continue
            if not models:
                raise FailedPrecondition(
                    f"no model for {feature} is pulled",
                    remedy="run: beholden models pull",
                    reason="MODEL_OFF",
                )
            found += models
        return list({model.id: model for model in found}.values())
