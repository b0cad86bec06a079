"""The pictures of the story: somebody to look for, the same face made hard to know, and strangers."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps

from beholden.cli import pictures
from beholden.cli.failures import Failure

_STRANGERS = 40
_STRANGER_SIDE = 150
_ACROSS = 8


def from_scikit_image(folder: Path) -> Path:
    """A folder in `folder`: NASA's portrait of Eileen Collins, scenes without a face, strangers.

    Raises:
        Failure: scikit-image is not installed.
    """
    found = find_spec("skimage")
    if found is None or found.origin is None:
        raise Failure(
            "scikit-image, on whose pictures the story is told, is not installed",
            hint="pip install scikit-image, or show your own: beholden demo --pictures DIR",
        )
    data = Path(found.origin).parent / "data"
    photos = folder / "photos"
    photos.mkdir()
    for name in ("astronaut.png", "coffee.png", "rocket.jpg", "chelsea.png"):
        shutil.copyfile(data / name, photos / name)
    contact_sheet(np.load(data / "lfw_subset.npy")).save(photos / "strangers.png")
    return photos


def own(folder: Path) -> Path:
    """`folder` from the root. Raises Failure where no picture is in or under it."""
    if not (folder.is_dir() and pictures.find([folder])):
        raise Failure(f"no JPEG or PNG files in {folder}", "INVALID_ARGUMENT")
    return folder.absolute()


def contact_sheet(faces: NDArray[np.float64]) -> Image.Image:
    """The first faces of `faces`, float (N, H, W) in [0, 1], enlarged and laid out in rows."""
    tiles = [
        Image.fromarray((face * 255).astype(np.uint8)).resize(
            (_STRANGER_SIDE,) * 2, Image.Resampling.LANCZOS
        )
        for face in faces[:_STRANGERS]
    ]
    rows = -(-len(tiles) // _ACROSS)
    sheet = Image.new("RGB", (_ACROSS * _STRANGER_SIDE, rows * _STRANGER_SIDE))
    for number, tile in enumerate(tiles):
        sheet.paste(tile, (number % _ACROSS * _STRANGER_SIDE, number // _ACROSS * _STRANGER_SIDE))
    return sheet


def disguised(source: Path, target: Path) -> None:
    """`source` mirrored, turned by 12 degrees, half as large, darker, and hard compressed, in `target`."""
    picture = ImageOps.exif_transpose(Image.open(source)).convert("RGB")
    picture = ImageOps.mirror(picture).rotate(12, Image.Resampling.BICUBIC, fillcolor="#808080")
    picture = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)
    ImageEnhance.Brightness(picture).enhance(0.6).save(target, quality=60)
