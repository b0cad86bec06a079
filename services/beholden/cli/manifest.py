"""What is to be enrolled: folders and buckets, CSV and Parquet lists, Parquet and NPZ templates."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from enum import Enum
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from beholden.cli import objects, pictures
from beholden.cli.failures import Failure
from beholden.cli.objects import Object

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from beholden.v1 import image_pb2

Place = Path | Object

LISTS = frozenset({".csv", ".parquet", ".npz"})
"""What is read as a list, whatever is in it."""

_ROWS = 1000
_PICTURE_COLUMNS = ("file", "embedding")


class Acquisition(Enum):
    """How a picture may be come by, as the command line and lists name it."""

    FROM_SUBJECT = "from-subject"
    TARGETED = "targeted"
    UNTARGETED = "untargeted"


@dataclass(frozen=True, slots=True)
class Row:
    """What is said of one picture or template; times are Unix nanoseconds, 0 where nothing is said.

    `acquisition` is a value of `Acquisition`, or empty.
    """

    external_id: str = ""
    source: str = ""
    legal_basis: str = ""
    consent_id: str = ""
    image_sha256: str = ""
    capture_time: int = 0
    expire_time: int = 0
    acquisition: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A picture, or with `template` (D,) float32 a face without one; `label` names it to people.

    With `boxes` only the faces in those places of the picture are meant.
    """

    label: str
    row: Row
    file: Place | None = None
    template: NDArray[np.float32] | None = None
    boxes: tuple[image_pb2.BoundingBox, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """`total` things in one place; `model` made the templates, where that is said in it."""

    total: int
    things: Iterable[Listed]
    templates: bool = False
    model: str = ""


def listing(paths: Sequence[Path | str], default: Row) -> list[Listing]:
    """Each list for itself, all pictures and folders together. Raises Failure for what cannot be read.

    What a list does not say of a row, `default` says.
    """
    here = [Path(path) for path in paths if not objects.names(path)]
    files: list[Place] = [*pictures.find([path for path in here if not _is_list(path)])]
    lists: list[Place] = [path for path in here if _is_list(path)]
    for place in [objects.at(str(path)) for path in paths if objects.names(path)]:
        inside = objects.find(place, pictures.SUFFIXES)
        if _is_list(place) and inside == [place]:
            lists.append(place)
        else:
            files += inside
    found = [_of_file(path, default) for path in lists]
    if files:
        named = (Listed(str(file), default, file=file) for file in files)
        found.append(Listing(len(files), named))
    return found


def _is_list(path: Place) -> bool:
    return path.suffix.lower() in LISTS


def _of_file(path: Place, default: Row) -> Listing:
    try:
        if path.suffix.lower() == ".csv":
            return _csv(path, default)
        return _npz(path, default) if path.suffix.lower() == ".npz" else _parquet(path, default)
    except (OSError, ValueError) as error:
        raise _wrong(path, str(error)) from None


def _csv(path: Place, default: Row) -> Listing:
    with _lines(path) as lines:
        columns = _columns(path, csv.DictReader(lines).fieldnames or ())
        if "file" not in columns:
            raise _wrong(path, "has no column `file`")
        total = sum(1 for _ in csv.reader(lines))

    def things() -> Iterator[Listed]:
        with _lines(path) as lines:
            for number, said in enumerate(csv.DictReader(lines), 2):
                yield _picture(path, f"line {number}", said, default)

    return Listing(total, things())


def _lines(path: Place) -> TextIO:
    return TextIOWrapper(path.open("rb"), encoding="utf-8-sig", newline="")


def _parquet(path: Place, default: Row) -> Listing:
    import numpy as np
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path.seekable() if isinstance(path, Object) else path)
    columns = _columns(path, file.schema_arrow.names)
    kind = next((name for name in _PICTURE_COLUMNS if name in columns), "")
    if not kind:
        raise _wrong(path, "has neither a column `file` nor a column `embedding`")
    said = (file.schema_arrow.metadata or {}).get(b"beholden.model", b"")

    def things() -> Iterator[Listed]:
        number = 0
        for batch in file.iter_batches(_ROWS, columns=[*columns]):
            rows = batch.drop_columns([kind]).to_pylist()
            column = batch.column(kind)
            if kind == "embedding":
                flat = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
                if column.null_count or len(flat) % max(1, len(rows)):
                    raise _wrong(path, "`embedding` must be as many numbers in every row")
                vectors = flat.reshape(len(rows), -1)
            for index, row in enumerate(rows):
                where = f"row {number}"
                number += 1
                if kind == "file":
                    yield _picture(path, where, {**row, "file": column[index].as_py()}, default)
                else:
                    merged = _merged(path, where, row, default)
                    yield Listed(f"{path}#{number - 1}", merged, template=vectors[index])

    return Listing(file.metadata.num_rows, things(), kind == "embedding", said.decode())


def _npz(path: Place, default: Row) -> Listing:
    import numpy as np

    file = path.seekable() if isinstance(path, Object) else path
    with np.load(file, allow_pickle=False) as arrays:
        if "embeddings" not in arrays or arrays["embeddings"].ndim != 2:
            raise _wrong(path, "has no array `embeddings` of N rows")
        vectors = arrays["embeddings"].astype(np.float32)
        ids = arrays["external_ids"].astype(str) if "external_ids" in arrays else None
        model = str(arrays["model"]) if "model" in arrays else ""
    if ids is not None and len(ids) != len(vectors):
        raise _wrong(path, f"`external_ids` must be {len(vectors)}")
    things = (
        Listed(
            f"{path}#{number}",
            default if ids is None else replace(default, external_id=str(ids[number])),
            template=vector,
        )
        for number, vector in enumerate(vectors)
    )
    return Listing(len(vectors), things, True, model)


def _columns(path: Place, names: Sequence[str]) -> list[str]:
    """The list's columns, all of which must be understood: a misspelt one would be lost."""
    known = {*_PICTURE_COLUMNS, *(field.name for field in fields(Row))}
    if odd := [name for name in names if name not in known]:
        raise _wrong(path, f"has a column {odd[0]!r}; known are {', '.join(sorted(known))}")
    return [*names]


def _picture(path: Place, where: str, said: Mapping[str, Any], default: Row) -> Listed:
    name = said.get("file") or ""
    if not name:
        raise _wrong(path, f"{where}: `file` is empty")
    try:
        file = objects.at(name) if objects.names(name) else path.parent / name
    except ValueError as error:
        raise _wrong(path, f"{where}: `file` {error}") from None
    return Listed(str(file), _merged(path, where, said, default), file=file)


def _merged(path: Place, where: str, said: Mapping[str, Any], default: Row) -> Row:
    changes: dict[str, Any] = {}
    for field in fields(Row):
        if (value := said.get(field.name)) in (None, ""):
            continue
        if field.name == "acquisition" and value not in (
            known := [one.value for one in Acquisition]
        ):
            raise _wrong(path, f"{where}: `acquisition` must be one of {', '.join(known)}")
        if field.type == "int":
            changes[field.name] = _time(path, f"{where}: `{field.name}`", value)
        else:
            changes[field.name] = str(value)
    return replace(default, **changes)


def _time(path: Place, where: str, value: Any) -> int:
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise _wrong(path, f"{where} must be a time like 2026-05-04 or 2026-05-04T12:30Z") from None
    return int((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()) * 10**9


def _wrong(path: Place, problem: str) -> Failure:
    return Failure(f"{path}: {problem}", "INVALID_ARGUMENT", fields=((str(path), problem),))
