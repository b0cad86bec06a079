"""How well cosines tell one person from two: errors over labelled pairs, in ISO/IEC 19795's terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Cosines = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Errors:
    """At `threshold`: `fmr` of the pairs of strangers reach it, `fnmr` of one person's pairs do not."""

    threshold: float
    fmr: float
    fnmr: float


def errors_at(genuine: Cosines, impostor: Cosines, threshold: float) -> Errors:
    """Both error rates, each in [0, 1]. Raises ValueError where either kind of pair is missing."""
    _check(genuine, impostor)
    return Errors(
        threshold, float(np.mean(impostor >= threshold)), float(np.mean(genuine < threshold))
    )


def curve(genuine: Cosines, impostor: Cosines) -> list[Errors]:
    """The DET curve: the errors at every cosine that was met, thresholds ascending.

    Raises ValueError where either kind of pair is missing.
    """
    _check(genuine, impostor)
    thresholds = np.unique(np.concatenate((genuine, impostor)))
    fnmr = np.searchsorted(np.sort(genuine), thresholds, side="left") / len(genuine)
    fmr = 1 - np.searchsorted(np.sort(impostor), thresholds, side="left") / len(impostor)
    return [Errors(*map(float, point)) for point in zip(thresholds, fmr, fnmr, strict=True)]


def equal_error(points: list[Errors]) -> Errors:
    """The point of the curve where both errors are closest; the equal error rate is their mean."""
    return min(points, key=lambda point: (abs(point.fmr - point.fnmr), point.fmr + point.fnmr))


def true_accepts(points: list[Errors], far: float, impostors: int) -> float | None:
    """The share of one person's pairs accepted (TAR) where at most `far` of strangers' are.

    None where `impostors` pairs are too few to show such a rate: fewer than 1 / `far`.
    """
    if impostors * far < 1:
        return None
    return max((1 - point.fnmr for point in points if point.fmr <= far), default=0.0)


def thinned(points: list[Errors], most: int) -> list[Errors]:
    """At most `most` points of a curve, evenly, its ends among them."""
    if len(points) <= most:
        return points
    return [points[index] for index in np.linspace(0, len(points) - 1, most).round().astype(int)]


def pairs(
    templates: NDArray[np.float32], people: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cosines of every pair of `templates` (N, D) of one person, and of every pair of two.

    `people` (N,) says whose each is.
    """
    first, second = np.triu_indices(len(templates), k=1)
    cosines = np.einsum("ij,ij->i", templates[first], templates[second])
    same = people[first] == people[second]
    return cosines[same], cosines[~same]


def _check(genuine: Cosines, impostor: Cosines) -> None:
    if not (len(genuine) and len(impostor)):
        raise ValueError("pairs of one person and pairs of two are both needed")
