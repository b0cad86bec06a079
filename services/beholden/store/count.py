"""How many rows a Milvus Lite database must hold, kept beside it: Lite itself may not notice a loss."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Mapping
from pathlib import Path


class RowCount:
    """Rows by Milvus collection and scope, durable on return; for one thread.

    It is raised after rows are written and lowered before they are removed, so that a process
    that dies in between leaves more rows than were promised, never fewer.
    """

    def __init__(self, path: Path) -> None:
        self.is_new = not path.exists()
        os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA synchronous=FULL")
        self._file.execute(
            "CREATE TABLE IF NOT EXISTS rows"
            " (collection TEXT, scope TEXT, count INTEGER, PRIMARY KEY (collection, scope))"
        )
        found = self._file.execute("SELECT collection, scope, count FROM rows")
        self._rows: dict[tuple[str, str], int] = {
            (name, scope): rows for name, scope, rows in found
        }

    def of(self, collection: str, scope: str) -> int:
        """Zero where nothing was ever counted."""
        return self._rows.get((collection, scope), 0)

    def most(self) -> int:
        """Rows of the largest Milvus collection."""
        totals = Counter[str]()
        for (collection, _), count in self._rows.items():
            totals[collection] += count
        return max(totals.values(), default=0)

    def lost(self, found: Mapping[tuple[str, str], int]) -> int:
        """How many of the counted rows are not among those found, by collection and scope."""
        return sum(max(0, count - found.get(key, 0)) for key, count in self._rows.items())

    def adopt(self, found: Mapping[tuple[str, str], int]) -> None:
        """Counts what was found, where it is more: a process died before it could count."""
        for (collection, scope), count in found.items():
            if count != self.of(collection, scope):
                self.set(collection, scope, count)
        self.is_new = False

    def set(self, collection: str, scope: str, count: int) -> None:
        """Zero forgets the scope."""
        if count:
            self._file.execute("REPLACE INTO rows VALUES (?, ?, ?)", (collection, scope, count))
            self._rows[collection, scope] = count
        else:
            self._file.execute(
                "DELETE FROM rows WHERE collection = ? AND scope = ?", (collection, scope)
            )
            self._rows.pop((collection, scope), None)

    def forget(self, collection: str) -> None:
        """Counts nothing of a Milvus collection any more."""
        for name, scope in [key for key in self._rows if key[0] == collection]:
            self.set(name, scope, 0)

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()
