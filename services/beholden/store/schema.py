"""Our Milvus collections: their names, versions, fields and indexes, and how they come about.

`PREFIX_vN_catalog` has a row a gallery; `PREFIX_vN_faces_D` and `PREFIX_vN_people_D` have the faces
and the people of all tenants whose templates have D dimensions, parted by gallery, and
`PREFIX_vN_members` says whose each face is. N is the schema's version.
"""

from __future__ import annotations

import logging
import re
from typing import NamedTuple

from pymilvus import CollectionSchema, DataType, MilvusClient
from pymilvus.client.types import LoadState
from pymilvus.milvus_client import IndexParams

from beholden.store.settings import StoreSettings

VERSION = 2
"""Of the fields below. A new one comes with its step in migrations.py."""

_MAX_KEY = 32 + 1 + 2 * 255 + 1 + 32

_TAGS = ("external", "media", "enroller", "source", "basis", "consent")
_TIMES = ("captured", "enrolled", "expire")

_log = logging.getLogger(__name__)


class Indexes(NamedTuple):
    """Of the templates HNSW or FLAT, of the galleries' keys as the server has them; empty for none.

    Only Milvus Lite searches without one.
    """

    template: str = ""
    scope: str = ""


def catalog_name(prefix: str, version: int = VERSION) -> str:
    """The Milvus collection that lists the galleries."""
    return f"{prefix}_v{version}_catalog"


def faces_name(prefix: str, dimension: int, version: int = VERSION) -> str:
    """The Milvus collection for templates of `dimension`."""
    return f"{prefix}_v{version}_faces_{dimension}"


def people_name(prefix: str, dimension: int) -> str:
    """The Milvus collection for people with templates of `dimension`."""
    return f"{prefix}_v{VERSION}_people_{dimension}"


def members_name(prefix: str) -> str:
    """The Milvus collection that says whose each face is."""
    return f"{prefix}_v{VERSION}_members"


def dimensions(client: MilvusClient, prefix: str, version: int = VERSION) -> list[int]:
    """Of the templates for which there is a Milvus collection."""
    start = faces_name(prefix, 0, version)[:-1]
    return [int(name[len(start) :]) for name in client.list_collections() if name.startswith(start)]


def versions(client: MilvusClient, prefix: str) -> dict[str, int]:
    """Our Milvus collections of every version, each with its version."""
    pattern = re.compile(rf"{re.escape(prefix)}_v(\d+)_(catalog|members|(faces|people)_\d+)")
    matches = map(pattern.fullmatch, client.list_collections())
    return {match[0]: int(match[1]) for match in matches if match}


def version_of(client: MilvusClient, prefix: str) -> int:
    """The version in force: the oldest that has a catalogue, as a migration drops that at its end."""
    names = versions(client, prefix)
    return min((names[name] for name in names if name.endswith("_catalog")), default=VERSION)


def our_names(client: MilvusClient, prefix: str) -> list[str]:
    """Our Milvus collections of the version in force."""
    version = version_of(client, prefix)
    return [name for name, of in versions(client, prefix).items() if of == version]


def ensure_catalog(client: MilvusClient, indexes: Indexes, settings: StoreSettings) -> str:
    """Makes and loads the catalogue where it is not; its name. `indexes` as for `ensure_faces`."""
    name = catalog_name(settings.prefix)
    if not client.has_collection(name):
        schema = _schema(_MAX_KEY)
        schema.add_field("live", DataType.BOOL)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
        client.create_collection(name, schema=schema, consistency_level="Bounded")
    _load(client, name, "vector", "FLAT" if indexes.template else "", settings)
    return name


def ensure_members(client: MilvusClient, indexes: Indexes, settings: StoreSettings) -> str:
    """Makes and loads it where it is not; its name. `indexes` as for `ensure_faces`."""
    name = members_name(settings.prefix)
    if not client.has_collection(name):
        schema = _schema(32 + 1 + 32 + 1 + 16)
        schema.add_field("face", DataType.VARCHAR, max_length=32)
        schema.add_field("person", DataType.INT64)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
        client.create_collection(name, schema=schema, consistency_level="Bounded")
    _load(client, name, "vector", "FLAT" if indexes.template else "", settings)
    return name


def ensure_faces(
    client: MilvusClient, dimension: int, indexes: Indexes, settings: StoreSettings
) -> str:
    """Makes and loads the faces of `dimension` where they are not; the Milvus collection's name."""
    name = faces_name(settings.prefix, dimension)
    if not client.has_collection(name):
        schema = _schema(64, is_partition_key=True)
        schema.add_field("template", DataType.FLOAT_VECTOR, dim=dimension)
        for field in (*_TAGS, *_TIMES):
            schema.add_field(field, DataType.INT64)
        _create(client, name, schema, settings)
    _index_scopes(client, name, indexes.scope, settings)
    _load(client, name, "template", indexes.template, settings)
    return name


def ensure_people(
    client: MilvusClient, dimension: int, indexes: Indexes, settings: StoreSettings
) -> str:
    """As `ensure_faces`."""
    name = people_name(settings.prefix, dimension)
    if not client.has_collection(name):
        schema = _schema(32 + 1 + 2 * 128 + 1 + 16, is_partition_key=True)
        schema.add_field("template", DataType.FLOAT_VECTOR, dim=dimension)
        schema.add_field("faces", DataType.INT64)
        schema.add_field("expire", DataType.INT64)
        schema.add_field("settled", DataType.BOOL)
        _create(client, name, schema, settings)
    _index_scopes(client, name, indexes.scope, settings)
    _load(client, name, "template", indexes.template, settings)
    return name


def _create(
    client: MilvusClient, name: str, schema: CollectionSchema, settings: StoreSettings
) -> None:
    client.create_collection(
        name, schema=schema, consistency_level="Bounded", num_partitions=settings.partitions
    )


def _schema(max_key: int, *, is_partition_key: bool = False) -> CollectionSchema:
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=max_key)
    schema.add_field("scope", DataType.VARCHAR, max_length=32, is_partition_key=is_partition_key)
    schema.add_field("detail", DataType.JSON)
    return schema


def _index_scopes(client: MilvusClient, name: str, index: str, settings: StoreSettings) -> None:
    """Else a search compares the scope of every row of its partition: 4 of 11 ms in a million.

    Not where others search already: a server would not load that again, with an index more.
    """
    if not index or client.list_indexes(name, "scope"):
        return
    if client.get_load_state(name)["state"] == LoadState.NotLoad:
        params = IndexParams()
        params.add_index("scope", index)
        client.create_index(name, params, timeout=settings.load_timeout, sync=False)


def _load(client: MilvusClient, name: str, field: str, index: str, settings: StoreSettings) -> None:
    """Each step by itself, for a process may have died between any two."""
    if index and not client.list_indexes(name, field):
        hnsw = {"M": settings.hnsw_m, "efConstruction": settings.hnsw_ef_construction}
        params = IndexParams()
        params.add_index(field, index, metric_type="COSINE", params=hnsw if index == "HNSW" else {})
        client.create_index(name, params, timeout=settings.load_timeout, sync=False)
    if index and (found := client.describe_index(name, field)["index_type"]) != index:
        _log.warning("%s keeps its %s index; the settings ask for %s", name, found, index)
    client.load_collection(name, timeout=settings.load_timeout)
