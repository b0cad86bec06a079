"""Face chips: faces turned, scaled and cut so that their landmarks lie where the embedder expects."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from beholden.core.faces import Pixels
from beholden.vision.scaling import resized

CHIP = 150
"""The chip's side in pixels."""

_MARGIN = 2.0  # pixels around the chip that interpolation may reach

TEMPLATE: NDArray[np.float64] = np.array(
    ((47.55, 46.60), (100.48, 46.60), (74.01, 76.56), (50.41, 103.02), (97.61, 103.02))
)
"""Where left eye, right eye, nose and mouth corners lie in the chip: x, y in pixels.

The mean face of dlib's 150 px chips (padding 0.25), read at the five points that CenterFace gives.
"""

_ARCFACE = np.array(
    (
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    )
)

ALIGNMENTS: Mapping[str, tuple[int, NDArray[np.float64]]] = {
    "dlib": (CHIP, TEMPLATE),
    "arcface": (112, _ARCFACE),
}
"""The chip's side and the template, by the name that the catalogue gives a model's alignment.

`arcface` is the template of the 112 px chips that most embedders since ArcFace (Deng et al. 2019)
are trained on.
"""


def template_for(alignment: str, side: int) -> NDArray[np.float64]:
    """The template of `alignment` in a chip of `side` pixels: x, y, counted from the first pixel's centre.

    Raises KeyError for an alignment that is none.
    """
    native, template = ALIGNMENTS[alignment]
    return (template + 0.5) * (side / native) - 0.5


def fit_similarity(
    points: NDArray[np.floating], template: NDArray[np.floating] = TEMPLATE
) -> NDArray[np.float64]:
    """The rotation, scale and shift that best carry `points` (N, P, 2) to `template` (P, 2).

    Least squares (Umeyama 1991), in the plane a division of complex numbers. Returns (N, 2, 3).
    """
    source = points[..., 0] + 1j * points[..., 1]
    target = template[:, 0] + 1j * template[:, 1]
    source_mean = source.mean(axis=1, keepdims=True)
    target_mean = target.mean()
    centred = source - source_mean
    spread = np.maximum((np.abs(centred) ** 2).sum(axis=1), np.finfo(np.float64).tiny)
    turn = (centred.conj() * (target - target_mean)).sum(axis=1) / spread
    shift = target_mean - turn * source_mean[:, 0]
    return np.stack(
        (turn.real, -turn.imag, shift.real, turn.imag, turn.real, shift.imag), axis=1
    ).reshape(-1, 2, 3)


def chips(
    pixels: Pixels,
    landmarks: NDArray[np.floating],
    template: NDArray[np.float64] = TEMPLATE,
    side: int = CHIP,
) -> Pixels:
    """Cuts a chip for each of `landmarks` (N, 5, 2), in shares of the picture's width and height.

    `template` (5, 2) says where they are to lie in the chip. Returns uint8 (N, side, side, 3); what
    lies outside the picture is black.
    """
    height, width = pixels.shape[:2]
    # Shares count from the picture's edge, pixels from the centre of the first one.
    points = landmarks * (width, height) - 0.5
    out = np.empty((len(points), side, side, 3), np.uint8)
    for chip, transform in zip(out, fit_similarity(points, template), strict=True):
        cut(pixels, transform, chip)
    return out


def mirror(chips: Pixels) -> Pixels:
    """The chips (N, H, W, 3) seen in a mirror; a view."""
    return chips[:, :, ::-1]


def cut(pixels: Pixels, transform: NDArray[np.float64], chip: Pixels) -> None:
    """Fills the square `chip` (S, S, 3) with what `transform` (2, 3) carries there from the picture.

    Both are counted from the centre of their first pixel; outside the picture is black. A face
    larger than the chip is first reduced by area averaging: interpolation reads only the four
    nearest pixels, so that fine detail would alias and move what a model makes of the face.
    """
    side = len(chip)
    near, far = -_MARGIN, side + _MARGIN
    chip_corners = np.array(((near, near, 1), (far, near, 1), (near, far, 1), (far, far, 1)))
    corners = chip_corners @ cv2.invertAffineTransform(transform).T
    size = np.array(pixels.shape[1::-1])
    left, top = np.clip(np.floor(corners.min(axis=0)), 0, size - 1).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)), 1, size).astype(int)

    scale = min(1.0, float(np.hypot(transform[0, 0], transform[1, 0])))
    width, height = (max(1, round(length * scale)) for length in (right - left, bottom - top))
    region = resized(pixels[top:bottom, left:right], width, height)
    factors = np.array(((right - left) / width, (bottom - top) / height))
    shift = transform[:, 2] + transform[:, :2] @ (factors / 2 - 0.5 + (left, top))
    from_region = np.column_stack((transform[:, :2] * factors, shift))
    cv2.warpAffine(region, from_region, (side, side), dst=chip, flags=cv2.INTER_LINEAR)
