"""How sure both are of what nsfwjs tells, in ordinary photographs: nsfwjs on TensorFlow.js."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.table import Table

from tests.bench import moderation
from tests.bench.reference.common import THEIRS, run
from tests.house import MODELS, house
from tests.pictures import encode

MODEL = "nsfwjs_mobilenet_v2"
CLASSES = {"Explicit": ("Hentai", "Porn"), "Swimwear or Underwear": ("Sexy",)}
_SIDE = 224  # the model's

Sure = NDArray[Any]
"""How sure of each label (K, 2), in the order of CLASSES."""


def unsafe(folder: Path) -> list[Table]:
    """The photographs, these with their quarters, and both ways reduced beforehand.

    The model's own code samples a large picture where it falls; whatever else differs shows in
    pictures that are of the model's size already, and how much the sampling matters shows in the
    same pictures halved.
    """
    whole = [one for kind in moderation.photographs().values() for one in kind]
    decoded = [_decoded(content) for content in whole]
    quarters = [
        encode(quarter, "JPEG", quality=92) for one in decoded for quarter in _quarters(one)
    ]
    small = [encode(one.resize((_SIDE, _SIDE), Image.Resampling.BOX)) for one in decoded]
    halved = [encode(one.reduce(2)) for one in decoded]
    pictures = [*whole, *quarters, *small, *halved]
    theirs, ours = _reference(folder, pictures), _service(pictures)
    count = len(whole)
    parts = {
        "as they are": slice(0, count),
        "and their quarters": slice(0, 5 * count),
        f"at {_SIDE} x {_SIDE}": slice(5 * count, 6 * count),
    }
    shown = Table(
        "pictures", "label", "reference told", "service told", "both", "differ by: mean", "most",
        title="Unsafe: nsfwjs",
    )  # fmt: skip
    for name, part in parts.items():
        one, other = _with_any(theirs[part]), _with_any(ours[part])
        for label, they, we in zip((*CLASSES, "any"), one.T, other.T, strict=True):
            told = (they >= 0.5, we >= 0.5, (they >= 0.5) & (we >= 0.5))
            shown.add_row(
                f"{name} ({len(they)})", label, *(str(int(each.sum())) for each in told),
                f"{np.abs(they - we).mean():.3f}", f"{np.abs(they - we).max():.2f}",
            )  # fmt: skip
    moved = Table("who", "label", "mean", "most", title="The same pictures halved: how it changes")
    for who, sure in (("reference", theirs), ("service", ours)):
        apart = np.abs(sure[:count] - sure[6 * count :])
        for label, change in zip(CLASSES, apart.T, strict=True):
            moved.add_row(who, label, f"{change.mean():.3f}", f"{change.max():.2f}")
    return [shown, moved]


def _decoded(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content)).convert("RGB")


def _quarters(picture: Image.Image) -> list[Image.Image]:
    x, y = picture.width // 2, picture.height // 2
    corners = ((0, 0, x, y), (x, 0, 2 * x, y), (0, y, x, 2 * y), (x, y, 2 * x, 2 * y))
    return [picture.crop(corner) for corner in corners]


def _with_any(sure: Sure) -> Sure:
    return np.hstack((sure, sure.max(axis=1, keepdims=True)))


def _reference(folder: Path, pictures: Sequence[bytes]) -> Sure:
    shutil.copy(THEIRS / "unsafe.mjs", folder)
    with tempfile.TemporaryDirectory() as raw:
        sizes = []
        for place, picture in enumerate(map(_decoded, pictures)):
            (Path(raw) / f"{place}.rgb").write_bytes(picture.tobytes())
            sizes.append(f"{picture.width}x{picture.height}")
        told = run("node", "unsafe.mjs", raw, *sizes, cwd=folder)
    return np.array(
        [[sum(one[kind] for kind in kinds) for kinds in CLASSES.values()] for one in told]
    )


def _service(pictures: Sequence[bytes]) -> Sure:
    """Moderation by that model alone: others speak for the same labels."""
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        models.mkdir()
        (models / MODEL).symlink_to(MODELS / MODEL)
        with house(Path(folder), ["moderation"], MODEL_REPOSITORY=str(models)) as home:
            moderator = moderation.Moderator(home)
            told = [moderator.labels(picture, 0.0) for picture in pictures]
    return np.array([[one.get(label, 0.0) for label in CLASSES] for one in told])
