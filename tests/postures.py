"""How people in group photographs hold themselves, told by the rules and seen by eye."""

from __future__ import annotations

from collections import Counter

import numpy as np
from PIL import Image

from beholden.vision.postures import posture, raises_hand
from tests import pictures
from tests.analyses import Analyst

SITS_BELOW = {
    **dict.fromkeys((10, 16, 20, 21), 0.6),
    **dict.fromkeys((25, 26), 0.0),
    **dict.fromkeys((1, 3, 6, 11, 12, 13, 15, 18, 19), 1.0),
}
"""By picture, how far down the middle of the box of somebody who sits is at least; by eye."""

SITS, OTHERWISE = "sits", "does not sit"


async def told(here: Analyst, *numbers: int) -> Counter[tuple[str, str]]:
    """How many people of these pictures are what by eye and told to be what."""
    counts: Counter[tuple[str, str]] = Counter()
    for number in numbers:
        picture = Image.open(pictures.path(f"groups/{number}.jpg")).convert("RGB")
        picture.thumbnail((1280, 1280))
        pixels = np.asarray(picture)
        labels = (await here.eyes.labels.objects([pixels], least=0.5))[0]
        boxes = [
            one.box for label in labels if label.kind.name == "Person" for one in label.instances
        ]
        aspect = picture.width / picture.height
        for box, body in zip(boxes, await here.eyes.bodies.bodies(pixels, boxes), strict=True):
            middle = (box.y_min + box.y_max) / 2
            eye = SITS if middle >= SITS_BELOW[number] else OTHERWISE
            counts[eye, posture(body, box, aspect) or "nothing"] += 1
            counts[eye, "hand"] += raises_hand(body)
    return counts
