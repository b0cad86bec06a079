"""An export read back into a database of its own, so that it is verified as the ledger itself is."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine, Table, insert
from sqlalchemy.exc import IntegrityError

from beholden.core.errors import BeholdenError, InvalidArgument
from beholden.ledger.chain import canonical_json
from beholden.ledger.export import FORMAT, PARQUET
from beholden.ledger.fields import taken
from beholden.ledger.proof import read_checkpoint_document
from beholden.ledger.tables import CHECKPOINTS, ENTRIES, METADATA, SPANS, WRITERS

_BATCH = 1000
_MOST_LINE = 8 << 20

_Row = tuple[Table, dict[str, Any]]
_COLUMNS = {
    table: {column.name: column.type.python_type for column in table.columns}
    for table in PARQUET.values()
}


def load(path: Path, engine: Engine) -> None:
    """Fills an empty database. Raises InvalidArgument naming the place that no export has."""
    METADATA.create_all(engine)
    rows = _parquet(path) if path.is_dir() else _json_lines(path)
    with engine.begin() as connection:
        for table, batch in _batches(rows):
            try:
                connection.execute(insert(table), batch)
            except IntegrityError as error:
                raise InvalidArgument(
                    str(path), f"holds the same row of {table.name} twice, or an impossible one"
                ) from error


def _batches(rows: Iterator[_Row]) -> Iterator[tuple[Table, list[dict[str, Any]]]]:
    waiting: defaultdict[Table, list[dict[str, Any]]] = defaultdict(list)
    for table, row in rows:
        waiting[table].append(row)
        if len(waiting[table]) == _BATCH:
            yield table, waiting.pop(table)
    yield from waiting.items()


def _json_lines(path: Path) -> Iterator[_Row]:
    try:
        with path.open(encoding="ascii") as file:
            number = 0
            while line := file.readline(_MOST_LINE):
                number += 1
                try:
                    yield from _line(line, number)
                except BeholdenError as error:
                    raise InvalidArgument(f"{path}, line {number}", error.message) from None
            if not number:
                raise InvalidArgument(str(path), "is empty")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgument(str(path), f"cannot be read: {error}") from error


def _line(line: str, number: int) -> Iterator[_Row]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise InvalidArgument("line", "is no JSON object, or was cut off")
    kind = fields.pop("line", None)
    if (kind == "ledger") != (number == 1) or (number == 1 and fields.get("format") != FORMAT):
        raise InvalidArgument("line", f"the first line, and no other, must say {FORMAT}")
    match kind:
        case "ledger":
            pass
        case "writer":
            yield WRITERS, taken(_COLUMNS[WRITERS], fields, "writer")
        case "checkpoint":
            row = asdict(read_checkpoint_document(fields, "checkpoint"))
            for span in row.pop("spans"):
                yield SPANS, {**span, "checkpoint": row["ordinal"]}
            yield CHECKPOINTS, row
        case "entry":
            fields["body"] = canonical_json(fields.get("body"))
            yield ENTRIES, taken(_COLUMNS[ENTRIES], fields, "entry")
        case _:
            raise InvalidArgument("line", f"{kind!r} is no kind of line")


def _parquet(folder: Path) -> Iterator[_Row]:
    for name, table in PARQUET.items():
        path = folder / f"{name}.parquet"
        try:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(_BATCH):
                    for row in batch.to_pylist():
                        yield table, taken(_COLUMNS[table], row, name)
        except (OSError, pa.ArrowException) as error:
            said = str(error).splitlines()[0]
            raise InvalidArgument(str(path), f"cannot be read: {said}") from error
        except InvalidArgument as error:
            raise InvalidArgument(str(path), error.message) from None
