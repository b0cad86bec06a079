"""A ledger in SQLite copied whole while servers write to it; PostgreSQL brings tools of its own."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from beholden.core.errors import FailedPrecondition, Unavailable


def backup(url: str, out: Path) -> None:
    """Copies the database at `url`, as of one moment, to the file `out`, which only its owner may read.

    Everything in it comes along: records, checkpoints, reviews, notices, jobs. On the disk on return.

    Raises FailedPrecondition where the URL names no ledger in SQLite that is there, or the file is
    there already, Unavailable where the database cannot be read, OSError.
    """
    path = _path(url)
    if out.exists():
        raise FailedPrecondition(f"{out} is there already", remedy="name another place")
    part = out.with_name(f".{out.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with (
            closing(sqlite3.connect(path)) as source,
            closing(sqlite3.connect(part)) as target,
        ):
            # In one step, which sees one moment: in several, each write would begin it anew.
            source.backup(target)
            # A file by itself, without a log beside it.
            target.execute("PRAGMA journal_mode=DELETE")
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.rename(out)
        folder = os.open(out.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except sqlite3.Error as error:
        raise Unavailable("ledger", str(error)) from error
    finally:
        part.unlink(missing_ok=True)


def _path(url: str) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise FailedPrecondition(f"{url!r} is no ledger's URL") from None
    if parsed.get_backend_name() != "sqlite":
        raise FailedPrecondition(
            "only a ledger in SQLite is copied by this command",
            remedy="take pg_dump --format custom",
        )
    path = Path(str(parsed.database or ""))
    if not path.is_file():
        raise FailedPrecondition(f"there is no ledger at {path}")
    return path
