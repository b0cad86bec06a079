"""What differs between Milvus Lite and a server, behind one interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from beholden.store.client import Client
from beholden.store.rows import Row
from beholden.store.schema import Indexes


class Backend(Protocol):
    """Blocking; called on at most `threads` threads at a time. Rows of one call share one scope."""

    threads: int
    indexes: Indexes
    shared: bool
    """Whether other processes may be writing too."""

    @property
    def client(self) -> Client:
        """For reading, and for making Milvus collections."""
        ...

    def opened(self) -> None:
        """Called once our Milvus collections are loaded. Raises FailedPrecondition for lost rows."""
        ...

    def put(self, name: str, rows: Sequence[Row]) -> None:
        """Writes rows, in the place of those with the same ids; durable on return."""
        ...

    def confirm(self, name: str, rows: Sequence[Row]) -> None:
        """Returns when every reader sees what was put. Raises Unavailable where rows are not there."""
        ...

    def remove(self, name: str, scope: str, ids: Sequence[str]) -> list[str]:
        """Removes those that are there and returns their ids; no reader sees them on return."""
        ...

    def purge(self, name: str, scope: str) -> int:
        """Removes all rows of a scope and says how many they were."""
        ...

    def count(self, name: str, scope: str) -> int:
        """Rows of a scope."""
        ...

    def drop(self, name: str) -> None:
        """Removes a Milvus collection with its rows."""
        ...

    def close(self) -> None:
        """Writes out what is left and lets go."""
        ...
