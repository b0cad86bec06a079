"""What every comparison needs: the others' programs, and which boxes are the same."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from beholden.v1 import image_pb2

THEIRS = Path(__file__).parent / "theirs"

Box = Sequence[float]


def run(*command: object, cwd: Path | None = None) -> Any:
    """What a program prints last, as JSON."""
    done = subprocess.run([*map(str, command)], capture_output=True, check=False, cwd=cwd)
    if done.returncode:
        raise SystemExit(done.stderr.decode()[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def same(these: Sequence[Box], those: Sequence[Box]) -> int:
    """How many of `these` have one of `those` of their own: boxes that overlap by half."""
    free, count = list(those), 0
    for one in these:
        best = max(free, key=lambda other: _overlap(one, other), default=None)
        if best is not None and _overlap(one, best) >= 0.5:
            free.remove(best)
            count += 1
    return count


def _overlap(one: Box, other: Box) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0.0, across) * max(0.0, down)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


def box(one: image_pb2.BoundingBox) -> Box:
    """Its corners."""
    return one.x_min, one.y_min, one.x_max, one.y_max
