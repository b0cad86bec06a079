"""A Milvus server: writers wait until everybody sees what they wrote, so that no reader has to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from beholden.core.errors import Unavailable
from beholden.store.client import Client
from beholden.store.rows import Row
from beholden.store.schema import Indexes
from beholden.store.settings import StoreSettings

_PURGES = 5
_LOOKED_UP = 100


class ServerBackend:
    """Any number of processes may share a server."""

    shared = True

    def __init__(self, url: str, settings: StoreSettings) -> None:
        self.client = Client(url, settings)
        self.threads = settings.threads
        said = re.match(r"v?(\d+)\.(\d+)", self.client.milvus.get_server_version())
        version = (int(said[1]), int(said[2])) if said else None
        self._upserts = version is not None and version >= (2, 4)
        old = version is not None and version < (2, 4)
        self.indexes = Indexes(settings.index, "Trie" if old else "INVERTED")

    def opened(self) -> None:
        """A server keeps its own account of its rows."""

    def put(self, name: str, rows: Sequence[Row]) -> None:
        """Servers before 2.4 cannot upsert by partition key: there, replacing is two steps."""
        if self._upserts:
            self.client.upsert(name, rows)
            return
        self.client.delete(name, self.client.present(name, [row["id"] for row in rows]))
        self.client.insert(name, rows)

    def confirm(self, name: str, rows: Sequence[Row]) -> None:
        """One strong read: afterwards every bounded one sees as much.

        The server said that it has taken them all; whether they are where they are searched is looked
        up for some of many, since being asked for rows costs it half of what taking them does.
        """
        ids = [row["id"] for row in rows[:: -(-len(rows) // _LOOKED_UP)]]
        found = self.client.found(name, rows[0]["scope"], ids)
        if found < len(ids):
            raise Unavailable("milvus", f"{len(ids) - found} of {len(ids)} rows were not kept")

    def remove(self, name: str, scope: str, ids: Sequence[str]) -> list[str]:
        """Session consistency will not do: 2.3 answers a delete with a timestamp before it."""
        there = self.client.present(name, ids)
        self.client.delete(name, there)
        if there and self.client.found(name, scope, there):
            raise Unavailable("milvus", "rows were not removed")
        return there

    def purge(self, name: str, scope: str) -> int:
        """Again, where rows arrive while the others leave."""
        count = left = self.client.count(name, scope, strong=True)
        for _ in range(_PURGES):
            if not left:
                return count
            self.client.delete_scope(name, scope)
            left = self.client.count(name, scope, strong=True)
        raise Unavailable("milvus", "rows were not removed")

    def count(self, name: str, scope: str) -> int:
        """As the server says."""
        return self.client.count(name, scope)

    def drop(self, name: str) -> None:
        """As it says."""
        self.client.milvus.drop_collection(name)

    def close(self) -> None:
        """Ends the connection."""
        self.client.close()
