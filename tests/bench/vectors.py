"""Made-up templates that lie as real ones do: a cloud for each person, several faces in each cloud."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

DIMENSION = 128
PER_PERSON = 10
# With these, faces of one person have a cosine of about 0.96 and strangers about 0.85, as measured
# with dlib's model on real pictures.
_SHARED, _PERSON, _FACE = 0.85, 0.11, 0.04


def templates(count: int, seed: int = 7) -> Vectors:
    """`count` unit vectors, float32 (count, 128); those of one person stand together."""
    random = np.random.default_rng(seed)

    def direction(rows: int) -> Vectors:
        made = random.standard_normal((rows, DIMENSION), dtype=np.float32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    people = direction(-(-count // PER_PERSON))
    made = np.sqrt(_PERSON) * np.repeat(people, PER_PERSON, axis=0)[:count]
    made += np.sqrt(_SHARED) * direction(1)
    made += np.sqrt(_FACE) * direction(count)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def nearest(gallery: Vectors, probes: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """The exact `count` nearest of each probe, itself left out: indices (P, count)."""
    found = np.empty((len(probes), count), np.intp)
    for row, probe in enumerate(probes):
        cosines = gallery @ gallery[probe]
        cosines[probe] = -2
        best = np.argpartition(cosines, -count)[-count:]
        found[row] = best[np.argsort(-cosines[best])]
    return found
