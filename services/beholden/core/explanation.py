"""What a search says of its own answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from beholden.core.faces import UnindexedReason
from beholden.core.law import Json

Obligations = Sequence[tuple[str, Json, str]]
"""Kind, value, and the law's entry behind each."""


class ThresholdSource(Enum):
    """Where a threshold came from; the names are the proto enum's, less its prefix."""

    DEFAULT = "DEFAULT"
    REQUEST = "REQUEST"
    OBLIGATION = "OBLIGATION"


@dataclass(frozen=True, slots=True)
class Threshold:
    """The similarity in [0, 1] that candidates must reach, who asked for it, and the law's entry."""

    similarity: float
    source: ThresholdSource
    law: str = ""


@dataclass(frozen=True, slots=True)
class FalsePositives:
    """How likely a search among `gallery` strangers finds somebody (FPIR), as measured on pairs of them.

    `rate` is the estimate and `at_most` its upper bound with 95 % confidence, both in [0, 1].
    """

    rate: float
    at_most: float
    gallery: int
    pairs: int
    matches: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a reader must know to judge candidates."""

    threshold: Threshold
    obligations: Obligations
    gallery: int
    false_positives: FalsePositives | None
    problems: tuple[UnindexedReason, ...] = ()
