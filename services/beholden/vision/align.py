"""Face chips: faces turned, scaled and cut so that their landmarks lie where the embedder expects.

The template is the mean face of dlib's 150 px chips (padding 0.25), read at the five points that
CenterFace gives.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from beholden.core.faces import Pixels
from beholden.vision.scaling import resized

CHIP = 150
"""The chip's side in pixels."""

TEMPLATE: NDArray[np.float64] = np.array(
    ((47.55, 46.60), (100.48, 46.60), (74.01, 76.56), (50.41, 103.02), (97.61, 103.02))
)
"""Where left eye, right eye, nose and mouth corners lie in the chip: x, y in pixels."""


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


def chips(pixels: Pixels, landmarks: NDArray[np.floating]) -> Pixels:
    """Cuts a chip for each of `landmarks` (N, 5, 2), in shares of the picture's width and height.

    Returns uint8 (N, 150, 150, 3); what lies outside the picture is black, as in dlib's own chips.
    """
    height, width = pixels.shape[:2]
    # Shares count from the picture's edge, pixels from the centre of the first one.
    points = landmarks * (width, height) - 0.5
    out = np.empty((len(points), CHIP, CHIP, 3), np.uint8)
    for chip, transform in zip(out, fit_similarity(points), strict=True):
        _cut(pixels, transform, chip)
    return out


def mirror(chips: Pixels) -> Pixels:
    """The chips (N, H, W, 3) seen in a mirror; a view."""
    return chips[:, :, ::-1]


def _cut(pixels: Pixels, transform: NDArray[np.float64], chip: Pixels) -> None:
    """Warps into `chip`; a face larger than the chip is first reduced by area averaging.

    Interpolation alone reads only the four nearest pixels, so that fine detail of a large face
    would alias and move its embedding.
    """
    scale = float(np.hypot(transform[0, 0], transform[1, 0]))
    if scale < 1:
        pixels, transform = _reduced(pixels, transform, scale)
    cv2.warpAffine(pixels, transform, (CHIP, CHIP), dst=chip, flags=cv2.INTER_LINEAR)


def _reduced(
    pixels: Pixels, transform: NDArray[np.float64], scale: float
) -> tuple[Pixels, NDArray[np.float64]]:
    """The part of the picture that the chip needs, times `scale`, and the transform from there."""
    chip_corners = np.array(((0, 0, 1), (CHIP, 0, 1), (0, CHIP, 1), (CHIP, CHIP, 1)), np.float64)
    corners = chip_corners @ cv2.invertAffineTransform(transform).T
    margin = 2 / scale
    size = np.array(pixels.shape[1::-1])
    left, top = np.clip(np.floor(corners.min(axis=0) - margin), 0, size - 1).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0) + margin), 1, size).astype(int)
    width, height = (max(1, round(side * scale)) for side in (right - left, bottom - top))
    factors = np.array(((right - left) / width, (bottom - top) / height))
    matrix = transform[:, :2] * factors
    shift = transform[:, 2] + transform[:, :2] @ (factors / 2 - 0.5 + (left, top))
    region = resized(pixels[top:bottom, left:right], width, height)
    return region, np.column_stack((matrix, shift))
