"""What a search's answer says of itself: threshold, margins, and how likely strangers match."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

from beholden.core.explanation import FalsePositives, Obligations, Threshold, ThresholdSource
from beholden.core.faces import UnindexedReason
from beholden.core.gallery import Face
from beholden.core.models import Strangers
from beholden.vision.enrolment import EnrolmentLimits, Measures, enrolment_problems

T = TypeVar("T")

_CONFIDENCE = 0.95


def threshold(asked: float | None, default: float, obligations: Obligations) -> Threshold:
    """The strictest: what the caller asks for, or the default, unless the law asks for more."""
    chosen = (
        Threshold(default, ThresholdSource.DEFAULT)
        if asked is None
        else Threshold(asked, ThresholdSource.REQUEST)
    )
    for kind, value, law in obligations:
        if (
            kind == "min_similarity"
            and isinstance(value, int | float)
            and value > chosen.similarity
        ):
            chosen = Threshold(float(value), ThresholdSource.OBLIGATION, law)
    return chosen


def false_positives(
    strangers: Strangers | None, similarity: float, gallery: int
) -> FalsePositives | None:
    """FPIR = 1 - (1 - FMR)^N (ISO/IEC 19795-1), by the FMR at the next lower similarity measured.

    None where nothing was measured so low.
    """
    counts = [count for at, count in strangers.reaching if at <= similarity] if strangers else []
    if not counts or strangers is None:
        return None
    matches = counts[-1]
    return FalsePositives(
        rate=_any_of(matches / strangers.pairs, gallery),
        at_most=_any_of(upper_bound(matches, strangers.pairs), gallery),
        gallery=gallery,
        pairs=strangers.pairs,
        matches=matches,
    )


@lru_cache(maxsize=256)
def upper_bound(count: int, trials: int) -> float:
    """The largest rate in [0, 1] at which `count` or fewer of `trials` are not yet too few.

    One-sided Clopper-Pearson bound at 95 %; with none of n about 3 / n.
    """
    if count >= trials:
        return 1.0
    low, high = count / trials, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        if _at_most(count, trials, rate) > 1 - _CONFIDENCE:
            low = rate
        else:
            high = rate
    return high


def margins(found: Sequence[tuple[T, float, str]]) -> list[float | None]:
    """How much more alike each is than the next of another subject; None where there is none.

    `found` are items, similarities (descending) and subjects; an empty subject is nobody else's.
    """
    return [
        next(
            (
                similarity - other
                for _, other, whose in found[place + 1 :]
                if not subject or whose != subject
            ),
            None,
        )
        for place, (_, similarity, subject) in enumerate(found)
    ]


def problems_of(face: Face, limits: EnrolmentLimits) -> tuple[UnindexedReason, ...]:
    """What is wrong with an enrolled face; nothing is known of one that came without its picture."""
    if face.quality is None or face.pose is None:
        return ()
    measures = Measures(face.confidence, face.size, face.quality, face.pose)
    return enrolment_problems(measures, limits)


def _any_of(rate: float, times: int) -> float:
    return 1.0 if rate >= 1 and times else -math.expm1(times * math.log1p(-min(rate, 1 - 1e-16)))


def _at_most(count: int, trials: int, rate: float) -> float:
    """The binomial distribution: how likely `count` or fewer."""
    return math.fsum(
        math.exp(
            math.lgamma(trials + 1)
            - math.lgamma(i + 1)
            - math.lgamma(trials - i + 1)
            + i * math.log(rate)
            + (trials - i) * math.log1p(-rate)
        )
        for i in range(count + 1)
    )
