"""How like a picture is to examples of a label, and what that means on a scale from 0 to 1.

A picture's score for a label is its mean cosine to the nearest few of the label's examples, less half
of that to the nearest few others: between likeness by itself, which takes everything near for the
label, and the margin, which takes whatever is least unlike. What a score means is learned from the
examples themselves: each is left out and scored by the rest, and a logistic curve is laid between
those of the label and the others (Platt, "Probabilistic outputs for support vector machines", 1999,
with his targets, which keep few examples from being too sure). A side's weight grows with the root of
its number: many others count, but do not drown a few examples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEAREST = 3
"""How many of a label's examples, and of the others, a picture is held against."""

_OTHERS_WEIGH = 0.5
_STEPS = 100
_SOFT = 1e-6

Floats = NDArray[np.float64]
Cosines = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Curve:
    """The confidence 1 / (1 + exp(-slope * (score - midpoint))) of a score over `nearest` of each side.

    `found` is the share of the label's own examples with at least 0.5 when left out, `false_alarms`
    that of the others: on these examples, by a curve that has seen them.
    """

    nearest: int
    midpoint: float
    slope: float
    found: float
    false_alarms: float

    def confidence(self, mine: Cosines, others: Cosines) -> float:
        """In [0, 1], of the cosines to at least `nearest` of the label's examples and of the others."""
        score = _score(mine, others, self.nearest)
        return float(_logistic(self.slope * (score - self.midpoint)))


def calibrate(features: NDArray[np.floating], mine: NDArray[np.bool_]) -> Curve | None:
    """The curve of a label: unit `features` (N, D) of all examples, those of the label in `mine` (N,).

    None where there are fewer than two on a side, or where leaving one out shows that the label's
    examples are not more like each other than the rest.
    """
    fewer = int(min(mine.sum(), (~mine).sum()))
    if fewer < 2:
        return None
    nearest = min(NEAREST, fewer - 1)
    cosines = features.astype(np.float64) @ features.astype(np.float64).T
    np.fill_diagonal(cosines, -np.inf)  # an example is not held against itself
    scores = np.array([_score(row[mine], row[~mine], nearest) for row in cosines])
    fitted = _fit(scores, mine)
    if fitted is None:
        return None
    midpoint, slope = fitted
    told = scores >= midpoint
    return Curve(nearest, midpoint, slope, float(told[mine].mean()), float(told[~mine].mean()))


def _score(mine: Cosines, others: Cosines, nearest: int) -> float:
    like, unlike = (np.sort(side)[-nearest:].mean() for side in (mine, others))
    return float(like - _OTHERS_WEIGH * unlike)


def _fit(scores: Floats, mine: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Midpoint and slope by Newton's method; None where the slope would not rise."""
    count = np.array((len(mine) - mine.sum(), mine.sum()))
    targets = np.where(mine, (count[1] + 1) / (count[1] + 2), 1 / (count[0] + 2))
    weights = 1 / np.sqrt(np.where(mine, count[1], count[0])) / len(mine)
    centre, spread = scores.mean(), scores.std() + _SOFT
    points = np.stack(((scores - centre) / spread, np.ones(len(scores))), axis=1)
    line = np.zeros(2)
    for _ in range(_STEPS):
        told = _logistic(points @ line)
        slope = points.T @ (weights * (told - targets))
        curve = (points * (weights * told * (1 - told))[:, None]).T @ points
        step = np.linalg.solve(curve + _SOFT * np.eye(2), slope)
        line -= step * min(1.0, 2.0 / np.abs(step).max(initial=_SOFT))
        if np.abs(step).max() < _SOFT:
            break
    if line[0] <= _SOFT:
        return None
    return float(centre - line[1] / line[0] * spread), float(line[0] / spread)


def _logistic(values: NDArray[np.floating] | float) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -500, 500))))
