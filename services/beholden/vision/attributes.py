"""From faces to the crops that the attribute models look at, and from their answers to attributes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from beholden.core.attributes import AgeRange, Emotion, EmotionType, GenderPresentation
from beholden.core.faces import DetectedFace, Pixels
from beholden.vision.align import cut

Floats = NDArray[np.floating]


def crops(pixels: Pixels, faces: Sequence[DetectedFace], side: int, margin: float) -> Pixels:
    """Cuts a square around each face's box, the head upright: uint8 (N, side, side, 3).

    The square's side is `margin` times the box's longer side. What lies outside the picture is black.
    """
    out = np.empty((len(faces), side, side, 3), np.uint8)
    for face, chip in zip(faces, out, strict=True):
        cut(pixels, _transform(face, pixels.shape[1], pixels.shape[0], side, margin), chip)
    return out


def age_range(probabilities: Floats, coverage: float) -> AgeRange:
    """The years that hold the middle `coverage` of `probabilities` (Y,), of 1 to Y years.

    Raises ValueError where they are no probabilities.
    """
    total = np.cumsum(_checked(probabilities))
    rest = (1 - coverage) / 2 * total[-1]
    low, high = np.searchsorted(total, (rest, total[-1] - rest))
    return AgeRange(int(low) + 1, int(min(high, len(total) - 1)) + 1)


def gender_presentation(masculine: float) -> GenderPresentation:
    """Read from the probability of a masculine presentation. Raises ValueError where it is none."""
    share = float(_checked(np.array([masculine]))[0])
    return GenderPresentation(masculine=share >= 0.5, confidence=max(share, 1 - share))


def emotions(probabilities: Floats, labels: Sequence[str]) -> tuple[Emotion, ...]:
    """Every emotion of `labels` with its probability of `probabilities` (E,), the likeliest first.

    Raises ValueError where they are no probabilities, not as many, or of an emotion not known.
    """
    shares = _checked(probabilities).tolist()
    told = [
        Emotion(EmotionType(name.upper()), share)
        for name, share in zip(labels, shares, strict=True)
    ]
    return tuple(sorted(told, key=lambda one: -one.confidence))


def probability(value: float) -> float:
    """The value, checked. Raises ValueError where it is no probability."""
    return float(_checked(np.array([value]))[0])


def _checked(probabilities: Floats) -> Floats:
    """An answer that makes no sense must not pass for one. The last digit may be rounded over 1."""
    if probabilities.ndim != 1 or not ((probabilities >= 0) & (probabilities <= 1.00001)).all():
        raise ValueError("expected probabilities")
    return np.minimum(probabilities, 1)


def _transform(
    face: DetectedFace, width: int, height: int, side: int, margin: float
) -> NDArray[np.float64]:
    """The rotation, scale and shift (2, 3) from the picture's pixels to the crop's."""
    size = np.array((width, height))
    near = np.array((face.box.x_min, face.box.y_min)) * size
    far = np.array((face.box.x_max, face.box.y_max)) * size
    # Roll is clockwise in the picture: the crop is turned back.
    turn = np.exp(-1j * np.radians(face.pose.roll))
    turn *= side / max(1.0, float((far - near).max()) * margin)
    linear = np.array(((turn.real, -turn.imag), (turn.imag, turn.real)))
    # Boxes count from the picture's edge, pixels from the centre of the first one.
    shift = side / 2 - 0.5 - linear @ ((near + far) / 2 - 0.5)
    return np.column_stack((linear, shift))
