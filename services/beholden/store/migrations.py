"""From one version of the schema to the next: what is there is copied, counted, then dropped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping

from pymilvus import MilvusClient

from beholden.core.errors import FailedPrecondition
from beholden.store.backend import Backend
from beholden.store.rows import Row, faces_to_rows, row_to_face
from beholden.store.schema import (
    VERSION,
    catalog_name,
    dimensions,
    ensure_catalog,
    ensure_faces,
    faces_name,
    versions,
)
from beholden.store.settings import StoreSettings

Migration = Callable[[Backend, StoreSettings], None]

_PAGE = 1000

_log = logging.getLogger(__name__)


def migrate(
    backend: Backend,
    settings: StoreSettings,
    *,
    version: int = VERSION,
    migrations: Mapping[int, Migration] | None = None,
) -> None:
    """Brings what is there to `version`; one process at a time, and nobody else writing.

    A step makes the collections of N + 1 beside those of N (Milvus before 2.6 cannot add a field).
    Then those of N are dropped, for nothing that is erased later may live on in them: the catalogue
    first, with which the step is done. Raises FailedPrecondition where what is there is newer.
    """
    steps = MIGRATIONS if migrations is None else migrations
    prefix, client = settings.prefix, backend.client.milvus
    there = versions(client, prefix)
    catalogs = [there[name] for name in there if name.endswith("_catalog")]
    newest, found = max(catalogs, default=version), min(catalogs, default=version)
    if newest > version:
        raise FailedPrecondition(
            f"the galleries have schema {newest}, this version of Beholden knows {version}",
            remedy="use the newer version that wrote them",
        )
    if found < version:
        backend.opened()
    for step in range(found, version):
        _log.warning("migrating the galleries from schema %d to %d", step, step + 1)
        for name, of in versions(client, prefix).items():
            if of > step:
                backend.drop(name)
        steps[step](backend, settings)
        backend.drop(catalog_name(prefix, step))
    for name, of in versions(client, prefix).items():
        if of < version:
            backend.drop(name)


def _first_to_second(backend: Backend, settings: StoreSettings) -> None:
    """Faces get the fields by which they are listed and expire."""
    client = backend.client.milvus
    old_catalog = catalog_name(settings.prefix, 1)
    for dimension in dimensions(client, settings.prefix, 1):
        old = faces_name(settings.prefix, dimension, 1)
        new = ensure_faces(client, dimension, backend.indexes, settings)
        for rows in _pages(client, old, ["id", "scope", "detail", "template"], settings):
            fresh = [_fresh(row, dimension) for row in rows]
            backend.client.insert(new, fresh)
        _all_there(client, old, new)
    new = ensure_catalog(client, backend.indexes, settings)
    for rows in _pages(client, old_catalog, ["id", "scope", "live", "detail"], settings):
        client.insert(new, [{**row, "vector": [1.0, 0.0]} for row in rows])
    _all_there(client, old_catalog, new)


MIGRATIONS: Mapping[int, Migration] = {1: _first_to_second}
"""From version N to N + 1."""


def _fresh(row: Row, dimension: int) -> Row:
    (fresh,) = faces_to_rows(row["scope"], [row_to_face(row)], dimension)
    return fresh


def _pages(
    client: MilvusClient, name: str, fields: list[str], settings: StoreSettings
) -> Iterator[list[Row]]:
    client.load_collection(name, timeout=settings.load_timeout)
    last = ""
    while rows := list(
        client.query(
            name,
            filter=f'id > "{last}"',
            output_fields=fields,
            limit=_PAGE,
            iterator="True",  # by id, as Client.page
            consistency_level="Strong",
            timeout=settings.load_timeout,
        )
    ):
        yield rows
        last = max(row["id"] for row in rows)


def _all_there(client: MilvusClient, old: str, new: str) -> None:
    counts = [
        client.query(name, filter="", output_fields=["count(*)"], consistency_level="Strong")
        for name in (old, new)
    ]
    before, after = (int(rows[0]["count(*)"]) for rows in counts)
    if before != after:
        raise FailedPrecondition(
            f"{after} of {before} rows of {old} arrived in {new}", remedy="start again"
        )
