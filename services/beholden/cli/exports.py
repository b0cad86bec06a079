"""An export on disk: Parquet, and a manifest that says what it is and what its bytes must be."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from beholden.cli.failures import Failure

if TYPE_CHECKING:
    import pyarrow.parquet as pq

    from beholden.v1.transfer_pb2 import FaceBatch

FORMAT = 1
_FACES, _PEOPLE, _MANIFEST = "faces.parquet", "people.json", "manifest.json"
_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export holds; `files` are SHA-256 as hex by name. A later format cannot be read."""

    format: int
    collection: str
    display_name: str
    model: str
    dimension: int
    faces: int
    people: int
    files: dict[str, str]


class Writer:
    """Writes one export into a new folder that only this user can read; templates are biometric data.

    The manifest is written last, so that an export that was cut short has none. Raises Failure.
    """

    def __init__(self, folder: Path, collection: str, display_name: str, model: str) -> None:
        self._folder = folder
        self._said = (collection, display_name, model)
        self._people: list[str] = []
        self._faces = self._dimension = 0
        self._parquet: pq.ParquetWriter | None = None
        try:
            folder.mkdir(parents=True, mode=0o700)
        except FileExistsError:
            raise Failure(f"{folder} is there already", "INVALID_ARGUMENT") from None
        except OSError as error:
            raise Failure(f"{folder}: {error.strerror}", "INVALID_ARGUMENT") from None

    def add(self, batch: FaceBatch) -> None:
        """Appends what one answer has."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._people += batch.people
        if not batch.details:
            return
        dimension = len(batch.templates) // (4 * len(batch.details))
        if not dimension:
            raise Failure("the law withholds the templates: nothing can be restored from this")
        kind = pa.list_(pa.float32(), dimension)
        values = pa.array(memoryview(batch.templates).cast("f"), pa.float32())
        table = pa.table(
            {
                "template": pa.FixedSizeListArray.from_arrays(values, type=kind),
                "detail": pa.array(batch.details, pa.string()),
            }
        )
        if self._parquet is None:
            descriptor = os.open(self._folder / _FACES, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            self._file = os.fdopen(descriptor, "wb")
            self._parquet = pq.ParquetWriter(self._file, table.schema)
        self._parquet.write_table(table)
        self._faces, self._dimension = self._faces + len(batch.details), dimension

    def close(self) -> Manifest:
        """Completes the export."""
        files = {}
        if self._parquet is not None:
            self._parquet.close()
            self._file.close()
            files[_FACES] = _digest(self._folder / _FACES)
        self._write(_PEOPLE, self._people)
        files[_PEOPLE] = _digest(self._folder / _PEOPLE)
        manifest = Manifest(
            FORMAT, *self._said, self._dimension, self._faces, len(self._people), files
        )
        said = asdict(manifest)
        self._write(_MANIFEST, {**said, "sha256": seal(said)})
        return manifest

    def _write(self, name: str, said: Any) -> None:
        descriptor = os.open(self._folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(said, file, ensure_ascii=False, indent=1)


class Reader:
    """Reads an export whose every byte is as its manifest says. Raises Failure."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            said = json.loads((folder / _MANIFEST).read_text("utf-8"))
            if said.pop("sha256") != seal(said):
                raise ValueError(f"{_MANIFEST} was altered")
            self.manifest = Manifest(**said)
            for name, digest in self.manifest.files.items():
                if name not in {_FACES, _PEOPLE} or _digest(folder / name) != digest:
                    raise ValueError(f"{name} was altered")
        except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise Failure(f"{folder} is no whole export: {error}", "INVALID_ARGUMENT") from None
        if self.manifest.format != FORMAT:
            raise Failure(f"{folder} has format {self.manifest.format}, known is {FORMAT}")

    def batches(self) -> Iterator[FaceBatch]:
        """Faces, then people, in the order of the export; some at a time."""
        import pyarrow.parquet as pq

        from beholden.v1.transfer_pb2 import FaceBatch

        rows = max(1, min(_ROWS, 700_000 // (4 * max(1, self.manifest.dimension))))
        if _FACES in self.manifest.files:
            for batch in pq.ParquetFile(self._folder / _FACES).iter_batches(rows):
                templates = batch.column("template").flatten().to_numpy().astype("<f4").tobytes()
                yield FaceBatch(templates=templates, details=batch.column("detail").to_pylist())
        people = json.loads((self._folder / _PEOPLE).read_text("utf-8"))
        for first in range(0, len(people), _ROWS // 2):
            yield FaceBatch(people=people[first : first + _ROWS // 2])


def seal(manifest: dict[str, Any]) -> str:
    """The SHA-256 of a manifest, as hex, which stands in it."""
    canonical = json.dumps(manifest, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
