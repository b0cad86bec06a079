"""Milvus Lite in this process, kept from losing what it acknowledged.

Lite 3.2 loses rows, without an error, when a write overlaps a flush; shows readers fewer rows
during one; drops what it wrote to its log after a write that failed; and opens damaged files
with fewer rows. So one thread does everything, every write is counted beside the database and
written through to the disk, the count is compared on opening, and after a failure the database
is closed and read anew from its log before anything else.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from milvus_lite.adapter.grpc.server import start_server_in_thread
from milvus_lite.exceptions import DataDirLockedError

from beholden.core.errors import FailedPrecondition
from beholden.store.client import Client
from beholden.store.count import RowCount
from beholden.store.rows import Row
from beholden.store.schema import Indexes, our_names
from beholden.store.settings import StoreSettings

_DATA = ("collections/*/wal/*.arrow", "collections/*/partitions/*/*/*.parquet")

_log = logging.getLogger(__name__)


class LiteBackend:
    """Reached over a unix socket that only this user can open: Lite asks nobody who they are."""

    threads = 1
    indexes = Indexes()  # as fast without one at its size, and no half-written one to stumble over
    shared = False

    def __init__(self, path: Path, settings: StoreSettings) -> None:
        self._path = path
        self._settings = settings
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)
        self._failed = False
        self._warned = False
        self._start()
        try:
            self._counts = RowCount(path.with_name(f"{path.name}.rows"))
        except BaseException:
            self._stop()
            raise

    @property
    def client(self) -> Client:
        """Of a database without a failure behind it."""
        if self._failed:
            self._stop()
            self._start()
            self.opened()
            self._failed = False
        return self._client

    def opened(self) -> None:
        """Compares what is there with what was acknowledged."""
        self._sync()
        names = our_names(self._client.milvus, self._settings.prefix)
        for name in names:
            self._client.milvus.load_collection(name)
        found = Counter((name, scope) for name in names for scope in self._client.scopes(name))
        lost = 0 if self._counts.is_new else self._counts.lost(found)
        if lost:
            raise FailedPrecondition(
                f"{self._path} has lost {lost} rows that were acknowledged",
                remedy=f"restore a backup, or remove {self._path.name}.rows to go on without them",
            )
        self._counts.adopt(found)
        # What the log brought back is slow to search; the next write flushes it.
        self._unflushed = Counter(dict.fromkeys(names, self._settings.lite_flush_rows))
        self._warn()

    def put(self, name: str, rows: Sequence[Row]) -> None:
        """An upsert, counted, on the disk."""
        scope, ids = rows[0]["scope"], [row["id"] for row in rows]
        with self._writing() as client:
            replaced = len(client.present(name, ids))
            client.upsert(name, rows)
            self._sync()
            self._counts.set(name, scope, self._counts.of(name, scope) + len(rows) - replaced)
            self._unflushed[name] += len(rows)
            if self._unflushed[name] >= self._settings.lite_flush_rows:
                client.flush(name)
                self._sync()
                self._unflushed[name] = 0
        self._warn()

    def confirm(self, name: str, rows: Sequence[Row]) -> None:
        """Lite shows its only process every write at once."""

    def remove(self, name: str, scope: str, ids: Sequence[str]) -> list[str]:
        """Counted before, for a process may die in between."""
        with self._writing() as client:
            there = client.present(name, ids)
            self._counts.set(name, scope, self._counts.of(name, scope) - len(there))
            client.delete(name, there)
            self._sync()
        return there

    def purge(self, name: str, scope: str) -> int:
        """Counted before, as in `remove`."""
        with self._writing() as client:
            count = self._counts.of(name, scope)
            self._counts.set(name, scope, 0)
            client.delete_scope(name, scope)
            self._sync()
        return count

    def count(self, name: str, scope: str) -> int:
        """Our own count: Lite reads every row to count them, 300 ms for 9,000."""
        return self._counts.of(name, scope)

    def drop(self, name: str) -> None:
        """No longer counted before, as in `remove`."""
        self._counts.forget(name)
        self._client.milvus.drop_collection(name)

    def close(self) -> None:
        """Lite writes its log out as it closes."""
        self._stop()
        self._counts.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Client]:
        client = self.client
        self._failed = True
        yield client
        self._failed = False

    def _start(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="beholden-"))
        try:
            self._server, self._database, _ = start_server_in_thread(
                str(self._path), host=f"unix:{self._folder}/lite", port=0
            )
        except DataDirLockedError:
            shutil.rmtree(self._folder)
            raise FailedPrecondition(
                f"{self._path} is open in another process",
                remedy="stop that one, or give both a Milvus server (store_url http://...)",
            ) from None
        self._client = Client(f"unix:{self._folder}/lite:0", self._settings)

    def _stop(self) -> None:
        self._client.close()
        self._server.stop(grace=None).wait()
        self._database.close()
        self._sync()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _sync(self) -> None:
        """Lite leaves its log and data to the operating system, which a power cut takes along."""
        for pattern in _DATA:
            for file in self._path.glob(pattern):
                with contextlib.suppress(FileNotFoundError):
                    _fsync(file)

    def _warn(self) -> None:
        faces = self._counts.most()
        if faces >= self._settings.lite_warn_faces and not self._warned:
            self._warned = True
            _log.warning(
                "%s holds %d faces; Milvus Lite is for up to about %d, a Milvus server searches more in"
                " a few milliseconds: beholden migrate file:%s http://HOST:19530",
                self._path,
                faces,
                self._settings.lite_warn_faces,
                self._path,
            )


def _fsync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
