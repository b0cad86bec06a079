"""Templates: unit embeddings, how alike two are, and what that means on a scale from 0 to 1."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from beholden.core.faces import Template


def unit(embeddings: NDArray[np.floating]) -> NDArray[np.float32]:
    """`embeddings` (..., D) at unit length, float32.

    Raises ValueError for one that has no direction: all zero, or not finite.
    """
    wide = embeddings.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=-1, keepdims=True)
    if not np.all(np.isfinite(lengths) & (lengths > 0)):
        raise ValueError("an embedding is zero or not finite")
    return np.asarray(wide / lengths, np.float32)


def mirror_sum(embeddings: NDArray[np.floating], mirrored: NDArray[np.floating]) -> Template:
    """Templates (N, D) from the embeddings of N chips and of their mirror images, both (N, D).

    The unit sum of both unit embeddings: a face and its mirror image get the same template, and
    the equal error rate falls against the chip alone (measured: 1.6 to 1.1 %, 1.3 to 1.2 %).
    """
    return unit(unit(embeddings) + unit(mirrored))


def similarity(cosine: float, midpoint: float, slope: float) -> float:
    """The calibrated similarity in [0, 1] of a cosine in [-1, 1].

    The logistic curve 1 / (1 + exp(-slope * (cosine - midpoint))), stretched so that it is exactly
    0 at -1 and 1 at 1. With a model's own midpoint (where a match is as likely as not) and slope,
    a threshold means the same for every model. Strictly rising, up to rounding.
    """
    if math.isnan(cosine):
        raise ValueError("a cosine must be a number")
    low, high = _logistic(slope * (-1 - midpoint)), _logistic(slope * (1 - midpoint))
    level = _logistic(slope * (min(1.0, max(-1.0, cosine)) - midpoint))
    return (level - low) / (high - low)


def cosine_for(similarity: float, midpoint: float, slope: float) -> float:
    """The cosine in [-1, 1] of which `similarity` in [0, 1] is the calibrated one.

    Its inverse up to rounding: filter by the cosine, decide by the similarity.
    """
    if not 0 <= similarity <= 1:
        raise ValueError(f"a similarity must be in [0, 1], not {similarity}")
    if similarity in (0, 1):
        return 2.0 * similarity - 1
    low, high = slope * (-1 - midpoint), slope * (1 - midpoint)
    level = (1 - similarity) * _logistic(low) + similarity * _logistic(high)
    rest = (1 - similarity) * _logistic(-low) + similarity * _logistic(-high)
    return min(1.0, max(-1.0, midpoint + (math.log(level) - math.log(rest)) / slope))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
