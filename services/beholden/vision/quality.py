"""How usable a face's pixels are: how bright and how sharp."""

from __future__ import annotations

import cv2
import numpy as np

from beholden.core.faces import Pixels, Quality

_FACE = slice(30, 120)  # brows to chin of the 150 px chip, without hair and background
_SMOOTHING = 1.0  # sigma in pixels of the chip: without it, sensor noise would count as sharpness
_DARKNESS = 8.0  # keeps the noise of near-black faces from counting as detail
_HALF_SHARP = 6e-4  # the detail that is called 0.5: a portrait blurred by 1.5 pixels of its chip


def assess(chips: Pixels) -> tuple[Quality, ...]:
    """The quality of the face in each of `chips` (N, 150, 150, 3).

    Brightness is the mean luma (ITU-R BT.601) over 255. Sharpness is v / (v + 6e-4), v being the
    variance of the smoothed luma's Laplacian over its squared mean, so that exposure hardly
    counts: about 0.8 for a sharp portrait, 0.4 and 0.2 for the same blurred by a sigma of 2 and 3
    pixels of its chip, 0.1 for a face of 20 pixels.
    """
    return tuple(_assess(chip[_FACE, _FACE]) for chip in chips)


def _assess(face: Pixels) -> Quality:
    luma = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mean = float(luma.mean())
    detail = cv2.Laplacian(cv2.GaussianBlur(luma, (0, 0), _SMOOTHING), cv2.CV_32F)
    variance = float(detail.var()) / (mean + _DARKNESS) ** 2
    return Quality(brightness=mean / 255, sharpness=variance / (variance + _HALF_SHARP))
