"""`make bench-accuracy`: what the service tells of known pictures, over the wire.

Text: a page with its text, and street scenes with their words outlined (ICDAR 2015). Faces: groups
of people, counted, and what faces tell of themselves. Labels: pictures that scikit-image ships,
with what a person sees in them. Scripts: lines in fonts of Noto where those are installed.
Moderation: what is told of safe photographs, and of kinds of picture that were taught.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import skimage
from PIL import Image
from rich.console import Console

from beholden.catalog.taxonomy import load_taxonomy
from beholden.v1 import (
    detection_pb2,
    detection_pb2_grpc,
    face_pb2,
    image_pb2,
    label_pb2,
    text_pb2,
)
from tests.bench import attributes, moderation, score, scripts
from tests.bench.score import Score
from tests.house import MODELS, ROOT, House, house, registry
from tests.pictures import DATA, encode

SHIPPED = Path(skimage.__file__).parent / "data"

# What a person sees that the models have words for; empty: nothing of the kind.
SEEN: dict[str, set[str]] = {
    "astronaut.png": {"Person"},
    "camera.png": {"Person", "Tripod"},
    "chelsea.png": {"Cat"},
    "coffee.png": {"Cup", "Dining Table", "Espresso"},
    "motorcycle_left.png": {"Motorcycle"},
    "motorcycle_right.png": {"Motorcycle"},
    "brick.png": set(),
    "grass.png": set(),
    "gravel.png": set(),
    "coins.png": set(),
}

# Faces of each group photograph, counted by eye.
FACES = {
    "2": 4, "3": 5, "6": 14, "9": 8, "10": 19, "11": 26, "12": 5, "15": 16, "16": 9, "18": 6,
    "19": 5, "20": 10,
}  # fmt: skip


class Reader(Protocol):
    """Whoever reads words."""

    def words(self, content: bytes) -> list[Any]:
        """The words of a picture, each with its `text` and the corners of its `polygon`, in shares."""
        ...


class Service:
    """The detection service of a house, asked as a newsroom."""

    def __init__(self, home: House) -> None:
        self._headers = home.headers("daily-herald")
        self._channel = home.channel()
        self._stub = detection_pb2_grpc.DetectionServiceStub(self._channel)

    def words(self, content: bytes) -> list[text_pb2.DetectedText]:
        """The words of a picture, in reading order."""
        request = detection_pb2.DetectTextRequest(image=image_pb2.Image(content=content))
        found = self._stub.DetectText(request, metadata=self._headers)
        return [one for one in found.texts if one.type == text_pb2.TEXT_TYPE_WORD]

    def faces(self, content: bytes) -> list[face_pb2.DetectedFace]:
        """The faces of a picture."""
        request = detection_pb2.DetectFacesRequest(
            image=image_pb2.Image(content=content), max_faces=1000
        )
        return list(self._stub.DetectFaces(request, metadata=self._headers).faces)

    def labels(self, content: bytes, least: float | None = None) -> list[label_pb2.Label]:
        """What a picture shows, of at least that confidence or the default."""
        request = detection_pb2.DetectLabelsRequest(
            image=image_pb2.Image(content=content), min_confidence=least
        )
        return list(self._stub.DetectLabels(request, metadata=self._headers).labels)


def page(service: Reader) -> Score:
    """The words of tesseract's test page, each counted as often as it is there."""
    truth = Counter((DATA / "text" / "phototest.txt").read_text().split())
    content = encode(Image.open(DATA / "text" / "phototest.tif").convert("RGB"))
    told = Counter(word.text for word in service.words(content))
    common = (truth & told).total()
    return Score("words of a page, spelt right", truth.total(), common, told.total(), common)


def scenes(service: Reader) -> Score:
    """Words in street scenes: outlines that overlap by half (intersection over union).

    What is marked as not to be read counts neither way (ICDAR 2015, task 4.1).
    """
    root = DATA / "text" / "det_toy_dataset"
    there = found = told = 0
    for scene in json.loads((root / "textdet_test.json").read_text())["data_list"]:
        content = (root / scene["img_path"]).read_bytes()
        size = np.array((scene["width"], scene["height"]), np.float32)
        outlines = [
            np.array([(point.x, point.y) for point in word.polygon], np.float32) * size
            for word in service.words(content)
        ]
        marked = [(np.array(one["polygon"], np.float32).reshape(-1, 2), one["ignore"])
                  for one in scene["instances"]]  # fmt: skip
        unread = [outline for outline, ignored in marked if ignored]
        outlines = [
            one for one in outlines
            if not any(_shared(one, other) > 0.5 * cv2.contourArea(one) for other in unread)
        ]  # fmt: skip
        wanted = [outline for outline, ignored in marked if not ignored]
        there, told = there + len(wanted), told + len(outlines)
        found += _matches(wanted, outlines)
    return Score("words in street scenes, found", there, found, told, found)


def groups(service: Service) -> Score:
    """Faces of group photographs by their number: as many are right as there are, and no more."""
    told = {
        name: len(service.faces((DATA / "groups" / f"{name}.jpg").read_bytes())) for name in FACES
    }
    found = sum(min(told[name], count) for name, count in FACES.items())
    return Score("faces of groups", sum(FACES.values()), found, sum(told.values()), found)


def seen(service: Service) -> tuple[Score, dict[str, list[str]]]:
    """Labels of known pictures; what is above or below a label that is seen is right too."""
    taxonomy = load_taxonomy(ROOT / "models" / "taxonomy.yaml")
    there = found = told = right = 0
    wrong: dict[str, list[str]] = {}
    for name, wanted in SEEN.items():
        labels = service.labels((SHIPPED / name).read_bytes())
        above = {parent for one in wanted for parent in taxonomy.find(one).parents}
        names = {label.name for label in labels}
        good = {
            label.name
            for label in labels
            if label.name in wanted | above or wanted & set(label.parents)
        }
        there, found = there + len(wanted), found + len(wanted & names)
        told, right = told + len(names), right + len(good)
        if odd := sorted(names - good) + [f"not {one}" for one in sorted(wanted - names)]:
            wrong[name] = odd
    return Score("labels of known pictures", there, found, told, right), wrong


def _shared(one: np.ndarray, other: np.ndarray) -> float:
    """The area that two convex outlines share, in pixels."""
    return float(cv2.intersectConvexConvex(cv2.convexHull(one), cv2.convexHull(other))[0])


def _matches(wanted: list[np.ndarray], told: list[np.ndarray]) -> int:
    """How many of `wanted` have one of `told` of their own."""
    free, count = list(told), 0
    for one in wanted:
        for index, other in enumerate(free):
            both = _shared(one, other)
            if both >= 0.5 * (cv2.contourArea(one) + cv2.contourArea(other) - both):
                del free[index]
                count += 1
                break
    return count


def _served(folder: Path, models: Path) -> AbstractContextManager[House]:
    """A house with a tenant that may teach moderation labels of its own, and its law for attributes."""
    tenants = registry(folder, **{moderation.TENANT.replace("-", "_"): moderation.RULES})
    services = ["detection", "moderation"]
    return house(
        folder,
        services,
        TENANTS=str(tenants),
        MODEL_REPOSITORY=str(models),
        POLICY_URL=attributes.law(folder),
    )


def main() -> None:
    """Measures, shows, and keeps the figures under out/."""
    parser = argparse.ArgumentParser(prog="make bench-accuracy", description=__doc__)
    parser.add_argument("--json", type=Path, default=ROOT / "out" / "accuracy.json")
    parser.add_argument("--models", type=Path, default=MODELS, help="a repository of pulled models")
    parser.add_argument("--fonts", type=Path, default=scripts.FONTS, help="with Noto, for scripts")
    options = parser.parse_args()
    if not (DATA / "text").is_dir():
        raise SystemExit(f"no test data in {DATA}: set BEHOLDEN_TEST_DATA")
    with (
        tempfile.TemporaryDirectory() as folder,
        _served(Path(folder), options.models.resolve()) as home,
    ):
        service, moderator = Service(home), moderation.Moderator(home)
        labels, wrong = seen(service)
        scores = [page(service), scenes(service), groups(service), labels, *attributes.scores(home)]
        lines, turned = scripts.measured(home, options.fonts)
        told = [
            *moderation.alarms(moderator, moderation.photographs()),
            *moderation.taught(moderator, moderation.kinds()),
        ]
    out = Console()
    out.print(score.table(scores))
    out.print(moderation.table(told))
    if lines:
        out.print(*scripts.tables(lines, turned))
    else:
        out.print(f"no Noto fonts in {options.fonts}: no other scripts were read")
    for name, odd in wrong.items():
        out.print(f"{name}: {', '.join(odd)}")
    options.json.parent.mkdir(exist_ok=True)
    options.json.write_text(
        json.dumps(
            {
                "scores": [asdict(one) for one in scores],
                "labels_wrong": wrong,
                "scripts": [asdict(one) for one in lines],
                "angles": [asdict(one) for one in turned],
                "moderation": [asdict(one) for one in told],
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
