"""The few calls of pymilvus that the adapter makes, each with its deadline and consistency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pymilvus import MilvusClient, MilvusException
from pymilvus.grpc_gen.milvus_pb2 import InsertRequest, UpsertRequest

from beholden.core.faces import Template
from beholden.store.columns import columns
from beholden.store.rows import Row, among, equals
from beholden.store.settings import StoreSettings

_CHUNK = 1000
_ANY: Mapping[str, Sequence[str]] = {"fields": ()}
"""A schema for requests that are made already; without one the server would be asked for it."""


class Client:
    """Blocking; for worker threads. Reads are Bounded, as the collections were made, unless `strong`.

    Bounded answers at once from what the server has taken in, never more than five seconds old;
    strong waits, about 200 ms, until the server has taken in everything written before the call.
    """

    def __init__(self, uri: str, settings: StoreSettings) -> None:
        self.milvus = MilvusClient(uri, timeout=settings.timeout, dedicated=True)
        self._timeout = settings.timeout
        self._long_timeout = settings.load_timeout

    def insert(self, name: str, rows: Sequence[Row]) -> None:
        """An id that is there already is stored twice by a server and replaced by Lite."""
        request = InsertRequest(collection_name=name, num_rows=len(rows), fields_data=columns(rows))
        taken = self._server().batch_insert(
            name, [], schema=_ANY, insert_param=request, timeout=self._timeout
        )
        _check_taken(taken.insert_count, rows)

    def upsert(self, name: str, rows: Sequence[Row]) -> None:
        """Servers before 2.4 put rows of a partition key where no search finds them."""
        request = UpsertRequest(collection_name=name, num_rows=len(rows), fields_data=columns(rows))
        taken = self._server().upsert(
            name, [], schema=_ANY, upsert_param=request, timeout=self._timeout
        )
        _check_taken(taken.upsert_count, rows)

    def delete(self, name: str, ids: Sequence[str]) -> None:
        """Those that are not there are passed over."""
        for first in range(0, len(ids), _CHUNK):
            chunk = among(ids[first : first + _CHUNK])
            self.milvus.delete(name, filter=chunk, timeout=self._timeout)

    def delete_scope(self, name: str, scope: str) -> None:
        """All rows of a scope."""
        self.milvus.delete(name, filter=equals("scope", scope), timeout=self._long_timeout)

    def by_id(self, name: str, ids: Sequence[str], fields: Sequence[str]) -> list[Row]:
        """Those rows that are there, in no order."""
        rows: list[Row] = []
        for first in range(0, len(ids), _CHUNK):
            chunk = among(ids[first : first + _CHUNK])
            rows += self._query(name, chunk, fields)
        return rows

    def present(self, name: str, ids: Sequence[str]) -> list[str]:
        """Those of `ids` that are there, in the order asked."""
        there = {row["id"] for row in self.by_id(name, ids, ["id"])}
        return [key for key in ids if key in there]

    def found(self, name: str, scope: str, ids: Sequence[str]) -> int:
        """How many of `ids` a search of `scope` would meet, as of now (strong)."""
        total = 0
        for first in range(0, len(ids), _CHUNK):
            chunk = f"{equals('scope', scope)} and {among(ids[first : first + _CHUNK])}"
            total += len(self._query(name, chunk, ["id"], consistency_level="Strong"))
        return total

    def count(self, name: str, scope: str, *, strong: bool = False) -> int:
        """Rows of a scope."""
        options = {"consistency_level": "Strong"} if strong else {}
        rows = self._query(name, equals("scope", scope), ["count(*)"], **options)
        return int(rows[0]["count(*)"])

    def page(self, name: str, expression: str, fields: Sequence[str], limit: int) -> list[Row]:
        """The first `limit` rows by id. Lite sorts for iterators only, and takes this for one's."""
        return self._query(name, expression, fields, limit=limit, iterator="True")

    def all(self, name: str, expression: str, fields: Sequence[str], *, strong: bool) -> list[Row]:
        """Rows that are known to be few, in no order."""
        options = {"consistency_level": "Strong"} if strong else {}
        return self._query(name, expression, fields, **options)

    def scopes(self, name: str) -> list[str]:
        """The scope of every row; for Lite, which holds few."""
        every = 'id >= ""'
        rows = self.milvus.query(
            name, filter=every, output_fields=["scope"], timeout=self._long_timeout
        )
        return [row["scope"] for row in rows]

    def nearest(  # noqa: PLR0917 - one for each part of a search
        self,
        name: str,
        expression: str,
        template: Template,
        limit: int,
        params: Mapping[str, int],
        fields: Sequence[str],
    ) -> list[Row]:
        """The `limit` rows with the largest cosine, as far as the index finds them, with that `cosine`.

        Asked for vectors too, a server looks every row up a second time.
        """
        hits = self.milvus.search(
            name,
            [template],
            filter=expression,
            limit=limit,
            output_fields=list(fields),
            search_params={"metric_type": "COSINE", "params": dict(params)},
            timeout=self._timeout,
        )
        return [{**hit["entity"], "id": hit["id"], "cosine": hit["distance"]} for hit in hits[0]]

    def flush(self, name: str) -> None:
        """Writes the log's rows where they are searched fast."""
        self.milvus.flush(name, timeout=self._timeout)

    def close(self) -> None:
        """Ends the connection."""
        self.milvus.close()

    def _server(self) -> Any:
        """What MilvusClient itself asks: it takes requests that are made already, MilvusClient does not."""
        return self.milvus._get_connection()

    def _query(
        self, name: str, expression: str, fields: Sequence[str], **options: Any
    ) -> list[Row]:
        return list(
            self.milvus.query(
                name,
                filter=expression,
                output_fields=list(fields),
                timeout=self._timeout,
                **options,
            )
        )


def _check_taken(count: int, rows: Sequence[Row]) -> None:
    if count != len(rows):
        raise MilvusException(message=f"{count} of {len(rows)} rows were taken")
