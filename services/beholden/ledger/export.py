"""The ledger as files of its own: JSON Lines in one file, or Parquet in a folder, as of one moment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, Table, func, select

from beholden.ledger.audit import Progress
from beholden.ledger.tables import CHECKPOINTS, ENTRIES, SPANS, WRITERS, to_span

FORMAT = "beholden-ledger-1"
PARQUET = {"writers": WRITERS, "checkpoints": CHECKPOINTS, "spans": SPANS, "entries": ENTRIES}
"""The files of a Parquet export, less their suffix, and the table in each."""

_FETCH = 1000
_ROW_GROUP = 8192
_ORDER = {
    WRITERS: (WRITERS.c.ordinal,),
    CHECKPOINTS: (CHECKPOINTS.c.ordinal,),
    SPANS: (SPANS.c.checkpoint, SPANS.c.writer),
    ENTRIES: (ENTRIES.c.writer, ENTRIES.c.sequence),
}
_TYPES: Mapping[type, pa.DataType] = {str: pa.string(), int: pa.int64(), bool: pa.bool_()}


def to_json_lines(connection: Connection, file: IO[str], progress: Progress) -> int:
    """A line for each writer, checkpoint and entry, the body as an object; answers how many entries."""
    write = _line(file)
    write("ledger", {"format": FORMAT})
    for row in _rows(connection, WRITERS):
        write("writer", row)
    for row in _rows(connection, CHECKPOINTS):
        spans = connection.execute(select(SPANS).where(SPANS.c.checkpoint == row["ordinal"]))
        write("checkpoint", {**row, "spans": [asdict(to_span(span)) for span in spans]})
    entries = 0
    for row in _entries(connection, progress):
        write("entry", {**row, "body": _parsed(row["body"])})
        entries += 1
    return entries


def to_parquet(connection: Connection, folder: Path, progress: Progress) -> int:
    """Four files, a column for each of their tables' own; answers how many entries."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = 0
    for name, table in PARQUET.items():
        schema = pa.schema(
            [(column.name, _TYPES[column.type.python_type]) for column in table.columns]
        )
        rows = _entries(connection, progress) if table is ENTRIES else _rows(connection, table)
        with pq.ParquetWriter(folder / f"{name}.parquet", schema, compression="zstd") as writer:
            for batch in _batches(rows):
                writer.write_batch(pa.RecordBatch.from_pylist(batch, schema))
                entries += len(batch) if table is ENTRIES else 0
    return entries


def _rows(connection: Connection, table: Table) -> Iterator[dict[str, Any]]:
    query = select(table).order_by(*_ORDER[table]).execution_options(yield_per=_FETCH)
    for row in connection.execute(query).mappings():
        yield {name: _unicode(value) for name, value in row.items()}


def _entries(connection: Connection, progress: Progress) -> Iterator[dict[str, Any]]:
    total = int(connection.execute(select(func.count()).select_from(ENTRIES)).scalar() or 0)
    for done, row in enumerate(_rows(connection, ENTRIES), 1):
        progress(done, total)
        yield row


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == _ROW_GROUP:
            yield batch
            batch = []
    if batch:
        yield batch


def _line(file: IO[str]) -> Any:
    encode = json.JSONEncoder(separators=(",", ":")).encode

    def write(kind: str, fields: Mapping[str, Any]) -> None:
        file.write(encode({"line": kind, **fields}) + "\n")

    return write


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body  # damaged; that it is no object shows it


def _unicode(value: Any) -> Any:
    # Only what was tampered with is not Unicode, and then is not what was hashed either way.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
