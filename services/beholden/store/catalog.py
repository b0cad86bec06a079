"""The catalogue of galleries: found, listed, made and retired."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock

from beholden.core.errors import AlreadyExists, NotFound, Unavailable
from beholden.store.backend import Backend
from beholden.store.rows import (
    Entry,
    between,
    collection_key,
    entry_to_row,
    one_of,
    row_to_entry,
    tenant_key,
)

_FIELDS = ("id", "scope", "live", "detail")
_MOST_REMEMBERED = 10_000
_LOCKS = 64


class Catalog:
    """Blocking; for worker threads. What it finds it remembers for `seconds`."""

    def __init__(
        self,
        backend: Backend,
        name: str,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backend = backend
        self._name = name
        self._seconds = seconds
        self._clock = clock
        self._remembered: dict[tuple[str, str], tuple[float, Entry]] = {}
        self._making = [Lock() for _ in range(_LOCKS)]

    def known(self, tenant: str, collection: str) -> Entry | None:
        """What is remembered of it; does not block."""
        until, entry = self._remembered.get((tenant, collection), (0.0, None))
        return entry if self._clock() < until else None

    def get(self, tenant: str, collection: str) -> Entry:
        """Raises NotFound, and only after a strong read: another process may just have made it."""
        if entry := self.known(tenant, collection):
            return entry
        found = self._find(tenant, collection) or self._find(tenant, collection, strong=True)
        if not found:
            self._forget(tenant, collection)
            raise NotFound(f"collections/{collection}")
        self._remember(found[0])
        return found[0]

    def page(self, tenant: str, after: str, limit: int) -> list[Entry]:
        """The first `limit` by id after `after`, which may be empty."""
        low = f"{collection_key(tenant, after)}/" if after else f"{tenant_key(tenant)}."
        rows = self._backend.client.page(
            self._name,
            f"{between(low, f'{tenant_key(tenant)}/')} and live == true",
            _FIELDS,
            limit,
        )
        return [row_to_entry(row) for row in rows]

    def everything(self, after: str, limit: int) -> list[Entry]:
        """The first `limit` of all tenants' by key after the key `after`, which may be empty."""
        expression = f"{between(after, 'g')} and live == true"
        rows = self._backend.client.page(self._name, expression, _FIELDS, limit)
        return [row_to_entry(row) for row in rows]

    def add(self, entry: Entry) -> None:
        """Raises AlreadyExists; Unavailable when two processes add the same one at once."""
        collection = entry.collection
        row = entry_to_row(entry, live=True)
        # Those of one name wait for each other, the others need not: each takes some of the server's ticks.
        with self._making[hash((collection.tenant, collection.id)) % _LOCKS]:
            if self._find(collection.tenant, collection.id, strong=True):
                raise AlreadyExists(f"collections/{collection.id}")
            self._backend.put(self._name, [row])
            self._backend.confirm(self._name, [row])
            if len(self._find(collection.tenant, collection.id, strong=True)) > 1:
                # Each that sees another steps back, so that never two remain.
                self._backend.remove(self._name, entry.scope, [entry.id])
                raise Unavailable("milvus", f"collections/{collection.id} is being made right now")
        self._remember(entry)

    def confirm(self, entry: Entry) -> None:
        """Raises NotFound where the collection's life has ended by now."""
        found = self._find(entry.collection.tenant, entry.collection.id, strong=True)
        if entry.scope not in {other.scope for other in found}:
            self._forget(entry.collection.tenant, entry.collection.id)
            raise NotFound(f"collections/{entry.collection.id}")

    def retire(self, tenant: str, collection: str) -> Entry:
        """Nobody finds it from here on; its rows may go. Raises NotFound."""
        self._forget(tenant, collection)
        found = self._find(tenant, collection, strong=True)
        if not found:
            raise NotFound(f"collections/{collection}")
        row = entry_to_row(found[0], live=False)
        self._backend.put(self._name, [row])
        self._backend.confirm(self._name, [row])
        return found[0]

    def of_scopes(self, scopes: Sequence[str]) -> dict[str, Entry]:
        """The live collections with these scopes, by scope."""
        if not scopes:
            return {}
        expression = f"{one_of('scope', scopes)} and live == true"
        rows = self._backend.client.all(self._name, expression, _FIELDS, strong=False)
        return {entry.scope: entry for entry in map(row_to_entry, rows)}

    def retired(self) -> list[Entry]:
        """Those whose rows a process was still removing when it ended."""
        rows = self._backend.client.all(self._name, "live == false", _FIELDS, strong=True)
        return [row_to_entry(row) for row in rows]

    def remove(self, entry: Entry) -> None:
        """The last of a retired collection."""
        self._backend.remove(self._name, entry.scope, [entry.id])

    def answers(self) -> bool:
        """Whether the catalogue can be asked; raises what the client raises."""
        self._backend.client.page(self._name, between("", "."), ["id"], 1)
        return True

    def _find(self, tenant: str, collection: str, *, strong: bool = False) -> list[Entry]:
        key = collection_key(tenant, collection)
        rows = self._backend.client.all(
            self._name, f"{between(f'{key}.', f'{key}/')} and live == true", _FIELDS, strong=strong
        )
        return [row_to_entry(row) for row in rows]

    def _remember(self, entry: Entry) -> None:
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        key = (entry.collection.tenant, entry.collection.id)
        self._remembered[key] = (self._clock() + self._seconds, entry)

    def _forget(self, tenant: str, collection: str) -> None:
        self._remembered.pop((tenant, collection), None)
