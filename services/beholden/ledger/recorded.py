"""The decisions in a ledger or an export of it, read once from end to end in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from beholden.core.errors import FailedPrecondition, InvalidArgument
from beholden.core.record import DECISION
from beholden.ledger.database import connect, unavailable
from beholden.ledger.export import FORMAT
from beholden.ledger.settings import LedgerSettings
from beholden.ledger.tables import ENTRIES

_FETCH = 1000
_MOST_LINE = 8 << 20
_COLUMNS = ("id", "kind", "tenant", "action", "body")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One decision as it was written down; `body` is JSON text."""

    id: str
    tenant: str
    action: str
    body: str


def recorded(place: str, settings: LedgerSettings, progress: Progress) -> Iterator[Recorded]:
    """Every decision in the ledger at a URL, or in an export at a path (JSON Lines, or Parquet's folder).

    `progress` is told how far it is, and of how much: records, of JSON Lines bytes. Whether the
    ledger holds is not asked: verify it first. Raises FailedPrecondition, InvalidArgument, Unavailable.
    """
    if "://" not in place:
        path = Path(place)
        if not path.exists():
            raise FailedPrecondition(f"there is no export at {path}")
        yield from _parquet(path, progress) if path.is_dir() else _json_lines(path, progress)
        return
    file = place.removeprefix("sqlite:///")
    if file != place and not Path(file).is_file():
        raise FailedPrecondition(f"there is no ledger at {file}")
    try:
        database = connect(place, settings)
        try:
            with database.reading.connect() as connection:
                yield from _rows(connection, progress)
        finally:
            database.writing.dispose()
    except SQLAlchemyError as error:
        raise unavailable(error) from error


def _rows(connection: Connection, progress: Progress) -> Iterator[Recorded]:
    of_decisions = ENTRIES.c.kind == DECISION
    total = connection.execute(select(func.count()).select_from(ENTRIES).where(of_decisions))
    count = int(total.scalar() or 0)
    columns = (ENTRIES.c.id, ENTRIES.c.tenant, ENTRIES.c.action, ENTRIES.c.body)
    query = select(*columns).where(of_decisions).execution_options(yield_per=_FETCH)
    for done, row in enumerate(connection.execute(query), 1):
        progress(done, count)
        yield Recorded(row.id, row.tenant, row.action, row.body)


def _json_lines(path: Path, progress: Progress) -> Iterator[Recorded]:
    try:
        size, done = path.stat().st_size, 0
        with path.open("rb") as file:
            number = 0
            while line := file.readline(_MOST_LINE):
                number += 1
                done += len(line)
                fields = _line(line, path, number)
                if fields.get("line") == "entry" and fields.get("kind") == DECISION:
                    progress(done, size)
                    yield _taken({**fields, "body": json.dumps(fields.get("body"))}, path)
            progress(size, size)
    except OSError as error:
        raise InvalidArgument(str(path), f"cannot be read: {error.strerror}") from error


def _line(line: bytes, path: Path, number: int) -> dict[str, object]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or (number == 1 and fields.get("format") != FORMAT):
        raise InvalidArgument(f"{path}, line {number}", f"is none of a {FORMAT} export")
    return fields


def _parquet(folder: Path, progress: Progress) -> Iterator[Recorded]:
    path = folder / "entries.parquet"
    try:
        with pq.ParquetFile(path) as file:
            done, total = 0, file.metadata.num_rows
            for batch in file.iter_batches(_FETCH, columns=list(_COLUMNS)):
                for row in batch.to_pylist():
                    done += 1
                    if row["kind"] == DECISION:
                        progress(done, total)
                        yield _taken(row, path)
            progress(total, total)
    except (OSError, KeyError, pa.ArrowException) as error:
        said = (str(error).splitlines() or [""])[0]
        raise InvalidArgument(str(path), f"cannot be read: {said}") from error


def _taken(fields: dict[str, object], path: Path) -> Recorded:
    values = [fields.get(name) for name in ("id", "tenant", "action", "body")]
    if not all(isinstance(value, str) for value in values):
        raise InvalidArgument(str(path), "holds an entry that is none")
    return Recorded(*map(str, values))
