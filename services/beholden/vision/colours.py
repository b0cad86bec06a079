"""What a picture looks like as a whole: its dominant colours, brightness, contrast and sharpness."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ImageColor

from beholden.core.faces import Pixels
from beholden.core.geometry import Box
from beholden.core.labels import Colour, Look
from beholden.vision.scaling import fit_within, resized

_SIDE = 128  # what colours are counted on: shares hardly change with more pixels
_SHARPNESS_SIDE = 512  # a picture's sharpness is that of how it looks on a screen
_BITS = 4  # a channel's, in the grid of colours that clustering starts from
_ROUNDS = 8
_APART = 14.0  # the least CIE76 distance between two dominant colours: they look different
_HALF_SHARP = 300.0  # the Laplacian's variance that is called 0.5: a photograph slightly soft

Mask = NDArray[np.bool_]


def look(pixels: Pixels, max_colours: int, mask: Mask | None = None) -> Look | None:
    """How the pixels of (H, W, 3) look, those in `mask` (H, W) only if given; None where there are none.

    Brightness is the mean luma (ITU-R BT.601) over 255, contrast twice its standard deviation over
    255, sharpness v / (v + 300), v being the variance of the luma's Laplacian with the picture at
    most 512 pixels a side.
    """
    mask = np.ones(pixels.shape[:2], bool) if mask is None else mask
    if not mask.any():
        return None
    small, seen = _reduced(pixels, mask, _SHARPNESS_SIDE)
    luma = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = float(cv2.Laplacian(luma, cv2.CV_32F)[seen].var())
    return Look(
        brightness=float(luma[seen].mean()) / 255,
        contrast=min(1.0, 2 * float(luma[seen].std()) / 255),
        sharpness=detail / (detail + _HALF_SHARP),
        colours=dominant(pixels, max_colours, mask),
    )


def foreground(shape: tuple[int, ...], boxes: Sequence[Box]) -> Mask:
    """The pixels of (H, W) within any of `boxes`."""
    mask = np.zeros(shape[:2], bool)
    height, width = mask.shape
    for box in boxes:
        mask[
            int(box.y_min * height) : int(np.ceil(box.y_max * height)),
            int(box.x_min * width) : int(np.ceil(box.x_max * width)),
        ] = True
    return mask


def dominant(pixels: Pixels, most: int, mask: Mask) -> tuple[Colour, ...]:
    """At most `most` colours that look different from each other, by k-means in CIE L*a*b*.

    It starts from the commonest cells of a grid of colours, so that the same pixels always give the
    same colours. Shares add up to 1.
    """
    small, seen = _reduced(pixels, mask, _SIDE)
    rgb = small[seen]
    cells = (rgb >> (8 - _BITS)).astype(np.int64) @ np.array((1 << 2 * _BITS, 1 << _BITS, 1))
    _, cell, counts = np.unique(cells, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(cell, rgb[:, c]) for c in range(3)], axis=1) / counts[:, None]
    colours = _lab(means / 255)

    centres: list[NDArray[np.float64]] = []
    for index in np.argsort(-counts, kind="stable"):
        if all(np.linalg.norm(colours[index] - one) >= _APART for one in centres):
            centres.append(colours[index])
        if len(centres) == most:
            break
    places = np.array(centres)
    for _ in range(_ROUNDS):
        nearest = np.linalg.norm(colours[:, None] - places, axis=2).argmin(axis=1)
        weight = np.bincount(nearest, counts, len(places))
        total = np.stack([np.bincount(nearest, counts * c, len(places)) for c in colours.T], axis=1)
        places = np.where(weight[:, None] > 0, total / np.maximum(weight, 1)[:, None], places)
    named: dict[str, Colour] = {}
    for group in np.argsort(-weight, kind="stable"):
        if weight[group]:
            chosen = nearest == group
            mean = np.average(means[chosen], axis=0, weights=counts[chosen])
            value = "#{:02x}{:02x}{:02x}".format(*np.round(mean).astype(int))
            named[value] = Colour(name(mean), value, float(weight[group] / counts.sum()))
    return tuple(named.values())


def name(rgb: NDArray[np.floating]) -> str:
    """The CSS colour nearest to `rgb` (3,) in [0, 255]."""
    names, colours = _css()
    distances = np.linalg.norm(colours - _lab(rgb[None] / 255), axis=1)
    return names[int(distances.argmin())]


@cache
def _css() -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """CSS's colours by one name each, and where they lie in L*a*b*."""
    unique = {ImageColor.getrgb(name): name for name in ImageColor.colormap}
    return tuple(unique.values()), _lab(np.array([rgb[:3] for rgb in unique]) / 255)


def _lab(rgb: NDArray[np.floating]) -> NDArray[np.float64]:
    """Colours of sRGB (N, 3) in [0, 1] as CIE L*a*b* with D65."""
    converted = cv2.cvtColor(rgb.astype(np.float32)[None], cv2.COLOR_RGB2Lab)[0]
    return np.asarray(converted, np.float64)


def _reduced(pixels: Pixels, mask: Mask, side: int) -> tuple[Pixels, Mask]:
    """Picture and mask at most `side` a side; at least one pixel stays in the mask."""
    width, height = fit_within(pixels.shape[1], pixels.shape[0], side)
    small = resized(pixels, width, height)
    rows = np.arange(height) * mask.shape[0] // height
    columns = np.arange(width) * mask.shape[1] // width
    seen = mask[np.ix_(rows, columns)]
    if not seen.any():
        y, x = np.argwhere(mask)[0]
        seen[y * height // mask.shape[0], x * width // mask.shape[1]] = True
    return small, seen
