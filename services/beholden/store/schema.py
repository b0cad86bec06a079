"""Our Milvus collections: their names, versions, fields and indexes, and how they come about.

`PREFIX_vN_catalog` has a row a gallery; `PREFIX_vN_faces_D` has the faces of all tenants whose
templates have D dimensions, parted by gallery. N is the schema's version.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping

from pymilvus import CollectionSchema, DataType, MilvusClient
from pymilvus.milvus_client import IndexParams

from beholden.core.errors import FailedPrecondition
from beholden.store.settings import StoreSettings

VERSION = 1
"""Of the fields below. A new one comes with its step in MIGRATIONS."""

Migration = Callable[[MilvusClient, str], None]

MIGRATIONS: Mapping[int, Migration] = {}
"""From version N to N + 1, given the client and the prefix.

A step makes the collections of N + 1 beside those of N (Milvus before 2.6 cannot add a field),
the catalogue last, for where there is one the step is done; it may find leavings of an attempt
that was cut short. Those of N stay until somebody drops them.
"""

_MAX_KEY = 32 + 1 + 2 * 255 + 1 + 32

_log = logging.getLogger(__name__)


def catalog_name(prefix: str, version: int = VERSION) -> str:
    """The Milvus collection that lists the galleries."""
    return f"{prefix}_v{version}_catalog"


def faces_name(prefix: str, dimension: int) -> str:
    """The Milvus collection for templates of `dimension`."""
    return f"{prefix}_v{VERSION}_faces_{dimension}"


def dimensions(client: MilvusClient, prefix: str) -> list[int]:
    """Of the templates for which there is a Milvus collection."""
    start = faces_name(prefix, 0)[:-1]
    return [int(name[len(start) :]) for name in our_names(client, prefix) if name.startswith(start)]


def our_names(client: MilvusClient, prefix: str) -> list[str]:
    """Our Milvus collections of this version that are there."""
    return [name for name in client.list_collections() if name.startswith(f"{prefix}_v{VERSION}_")]


def migrate(
    client: MilvusClient,
    prefix: str,
    *,
    version: int = VERSION,
    migrations: Mapping[int, Migration] = MIGRATIONS,
) -> None:
    """Brings what is there to `version`. Raises FailedPrecondition where it is newer."""
    pattern = re.compile(rf"{re.escape(prefix)}_v(\d+)_catalog")
    found = [
        int(match[1]) for name in client.list_collections() if (match := pattern.fullmatch(name))
    ]
    newest = max(found, default=version)
    if newest > version:
        raise FailedPrecondition(
            f"the galleries have schema {newest}, this version of Beholden knows {version}",
            remedy="use the newer version that wrote them",
        )
    for step in range(newest, version):
        _log.warning("migrating the galleries from schema %d to %d", step, step + 1)
        migrations[step](client, prefix)


def ensure_catalog(client: MilvusClient, index: str, settings: StoreSettings) -> str:
    """Makes and loads the catalogue where it is not; its name. `index` as for `ensure_faces`."""
    name = catalog_name(settings.prefix)
    if not client.has_collection(name):
        schema = _schema(_MAX_KEY)
        schema.add_field("live", DataType.BOOL)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
        client.create_collection(name, schema=schema, consistency_level="Bounded")
    _load(client, name, "vector", "FLAT" if index else "", settings)
    return name


def ensure_faces(client: MilvusClient, dimension: int, index: str, settings: StoreSettings) -> str:
    """Makes and loads the faces of `dimension` where they are not; the Milvus collection's name.

    `index` is HNSW, FLAT, or empty for none, which only Milvus Lite searches.
    """
    name = faces_name(settings.prefix, dimension)
    if not client.has_collection(name):
        schema = _schema(64, is_partition_key=True)
        schema.add_field("template", DataType.FLOAT_VECTOR, dim=dimension)
        client.create_collection(
            name,
            schema=schema,
            consistency_level="Bounded",
            num_partitions=settings.partitions,
        )
    _load(client, name, "template", index, settings)
    return name


def _schema(max_key: int, *, is_partition_key: bool = False) -> CollectionSchema:
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=max_key)
    schema.add_field("scope", DataType.VARCHAR, max_length=32, is_partition_key=is_partition_key)
    schema.add_field("detail", DataType.JSON)
    return schema


def _load(client: MilvusClient, name: str, field: str, index: str, settings: StoreSettings) -> None:
    """Each step by itself, for a process may have died between any two."""
    if index and not client.list_indexes(name):
        hnsw = {"M": settings.hnsw_m, "efConstruction": settings.hnsw_ef_construction}
        params = IndexParams()
        params.add_index(field, index, metric_type="COSINE", params=hnsw if index == "HNSW" else {})
        client.create_index(name, params, timeout=settings.load_timeout, sync=False)
    if index and (found := client.describe_index(name, field)["index_type"]) != index:
        _log.warning("%s keeps its %s index; the settings ask for %s", name, found, index)
    client.load_collection(name, timeout=settings.load_timeout)
