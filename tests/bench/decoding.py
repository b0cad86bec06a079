"""`python -m tests.bench.decoding`: a JPEG of 12 megapixels decoded in full, and for each model's scale."""

from __future__ import annotations

import statistics
import time

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table
from skimage import data

from beholden.detection.settings import DetectionSettings
from beholden.vision.image import decode
from tests.pictures import encode

ROUNDS = 9


def spent(content: bytes, side: int | None) -> float:
    """Milliseconds that one decoding takes, the median of nine."""
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        decode(content, max_side=side)
        times.append((time.perf_counter() - begin) * 1e3)
    return statistics.median(times)


def main() -> None:
    """Measures, and shows."""
    settings = DetectionSettings()
    picture = Image.fromarray(np.asarray(data.astronaut())).resize((4000, 3000))
    content = encode(picture, "JPEG", quality=88)
    sides = {
        "in full": None,
        "text": settings.text_detail_side,
        "faces": settings.side,
        "labels": settings.label_side,
        "moderation": 448,
    }
    taken = {name: spent(content, side) for name, side in sides.items()}
    shown = Table("for", "pixels a side", "ms", "against in full", title="4000 x 3000 pixels")
    for name, took in taken.items():
        share = f"{took / taken['in full']:.0%}"
        shown.add_row(name, str(sides[name] or 4000), f"{took:.0f}", share)
    Console().print(shown)


if __name__ == "__main__":
    main()
