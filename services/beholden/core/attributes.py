"""What a face seems to tell beyond where it is: told only to those who ask and may know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class FaceAttribute(Enum):
    """What may be asked of a face; the names are the proto enum's, less its prefix."""

    AGE_RANGE = "AGE_RANGE"
    GENDER_PRESENTATION = "GENDER_PRESENTATION"
    EMOTIONS = "EMOTIONS"
    LIVENESS = "LIVENESS"
    SPOOF_SCORE = "SPOOF_SCORE"


class EmotionType(Enum):
    """What a face may show; the names are the proto enum's, less its prefix."""

    ANGRY = "ANGRY"
    DISGUSTED = "DISGUSTED"
    AFRAID = "AFRAID"
    HAPPY = "HAPPY"
    SAD = "SAD"
    SURPRISED = "SURPRISED"
    CALM = "CALM"


@dataclass(frozen=True, slots=True)
class AgeRange:
    """The years that a face seems to have, both included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class GenderPresentation:
    """How a face seems to present, whatever the person's gender; `confidence` in [0.5, 1]."""

    masculine: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class Emotion:
    """What a face seems to show, whatever the person feels; `confidence` in [0, 1]."""

    type: EmotionType
    confidence: float


@dataclass(frozen=True, slots=True)
class FaceAttributes:
    """What was asked of one face and could be told; the rest is None, or empty.

    `emotions` are the likeliest first. `liveness` is how likely it was before the camera itself,
    `spoof_score` how likely it was made up or altered, both in [0, 1].
    """

    age_range: AgeRange | None = None
    gender_presentation: GenderPresentation | None = None
    emotions: tuple[Emotion, ...] = ()
    liveness: float | None = None
    spoof_score: float | None = None
