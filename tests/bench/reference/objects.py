"""Objects with their places, and people held against their faces: YOLOX."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from rich.table import Table
from scipy.optimize import linear_sum_assignment

from beholden.catalog.taxonomy import load_taxonomy
from tests.bench import accuracy
from tests.bench.reference.common import THEIRS, Box, box, run, same
from tests.house import ROOT, House
from tests.pictures import DATA

_LEAST = (0.3, 0.55)  # a low one, so that more is compared, and the service's default
_SIDE = 416  # the model's

Told = Mapping[str, Sequence[Box]]
"""Boxes by the label's name."""

Find = Callable[[Path, float], Told]
"""What is told of a picture with at least that confidence."""


def objects(home: House, python: str, package: Path, weights: Path) -> list[Table]:
    """Known pictures and groups: what is told by both, and which people of those counted by eye.

    The groups also of the model's size already, where nobody's way of reducing matters.
    """
    groups = sorted((DATA / "groups").glob("*.jpg"))
    with tempfile.TemporaryDirectory() as folder:
        kinds = {
            "of scikit-image": [accuracy.SHIPPED / name for name in accuracy.SEEN],
            "groups": groups,
            f"groups at {_SIDE} pixels": [_reduced(path, Path(folder)) for path in groups],
        }
        paths = [path for kind in kinds.values() for path in kind]
        theirs = _reference(run(python, THEIRS / "objects.py", package, weights, *paths))
        service = accuracy.Service(home)
        ours = _service(service)
        told = Table("pictures", "at least", "reference", "service", "the same",
                     title="Objects: YOLOX")  # fmt: skip
        for name, kind in kinds.items():
            for least in _LEAST:
                counts = sum(_both(theirs(path, least), ours(path, least)) for path in kind)
                told.add_row(f"{name} ({len(kind)})", f"{least}", *map(str, np.asarray(counts)))
    counted = [path for path in groups if path.stem in accuracy.FACES]
    seen = {path: [box(one.bounding_box) for one in service.faces(path.read_bytes())]
            for path in counted}  # fmt: skip
    return [told, _people({"reference": theirs, "service": ours}, seen)]


def _reduced(path: Path, folder: Path) -> Path:
    picture = Image.open(path).convert("RGB")
    picture.thumbnail((_SIDE, _SIDE))
    place = folder / f"{path.stem}.png"
    picture.save(place)
    return place


def _reference(found: Mapping[str, Iterable[tuple[str, float, Box]]]) -> Find:
    taxonomy = load_taxonomy(ROOT / "models" / "taxonomy.yaml")

    def find(path: Path, least: float) -> Told:
        told = defaultdict(list)
        for kind, score, place in found[str(path)]:
            if score >= least:
                told[taxonomy.find(kind).name].append(place)
        return told

    return find


def _service(service: accuracy.Service) -> Find:
    def find(path: Path, least: float) -> Told:
        labels = service.labels(path.read_bytes(), least)
        return {label.name: [box(one.bounding_box) for one in label.instances] for label in labels}

    return find


def _both(one: Told, other: Told) -> np.ndarray:
    """How many one tells, how many the other, and how many are the same."""
    alike = sum(same(other.get(kind, ()), places) for kind, places in one.items())
    return np.array((sum(map(len, one.values())), sum(map(len, other.values())), alike))


def _people(finders: Mapping[str, Find], faces: Mapping[Path, Sequence[Box]]) -> Table:
    """Of those whose faces were counted by eye: a person is right who has a face of their own."""
    shown = Table("at least", "who", "there", "found", "recall", "told", "precision",
                  title="People counted by eye: YOLOX")  # fmt: skip
    there = sum(map(len, faces.values()))
    for least in _LEAST:
        for who, find in finders.items():
            people = {path: find(path, least).get("Person", ()) for path in faces}
            right = sum(_with_a_face(people[path], faces[path]) for path in faces)
            told = sum(map(len, people.values()))
            shown.add_row(
                f"{least}", who, str(there), str(right), f"{right / max(1, there):.3f}",
                str(told), f"{right / max(1, told):.3f}",
            )  # fmt: skip
    return shown


def _with_a_face(people: Sequence[Box], faces: Sequence[Box]) -> int:
    """How many people have a face of their own in the upper half of their box, at best."""
    fits = np.zeros((len(people), len(faces)), bool)
    for row, (left, top, right, bottom) in enumerate(people):
        for column, face in enumerate(faces):
            x, y = (face[0] + face[2]) / 2, (face[1] + face[3]) / 2
            fits[row, column] = left <= x <= right and top <= y <= (top + bottom) / 2
    return int(fits[linear_sum_assignment(fits, maximize=True)].sum())
