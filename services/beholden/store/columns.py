"""Rows as the columns that Milvus takes; pure functions.

pymilvus packs rows value by value, which costs more than all that a server does with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from google.protobuf.wrappers_pb2 import BytesValue
from numpy.typing import NDArray
from pymilvus import DataType
from pymilvus.grpc_gen import schema_pb2

from beholden.store.rows import Row


def columns(rows: Sequence[Row]) -> list[Any]:
    """A `FieldData` for each field of the first row, which all others have too.

    The type is that of the first row's value: str, bool, int, a mapping or its JSON as bytes, and for
    a vector numbers of shape (D,), which go as float32.
    """
    return [_column(field, [row[field] for row in rows]) for field in rows[0]]


def _column(field: str, values: list[Any]) -> Any:
    scalar = next((how for types, how in _SCALARS.items() if isinstance(values[0], types)), None)
    if scalar is None:
        vectors = _vectors(np.array(values, "<f4"))
        return schema_pb2.FieldData(field_name=field, type=DataType.FLOAT_VECTOR, vectors=vectors)
    kind, pack = scalar
    return schema_pb2.FieldData(field_name=field, type=kind, scalars=pack(values))


def _vectors(matrix: NDArray[np.float32]) -> Any:
    """Numbers that are packed on the wire are their bytes, as in a message that has bytes there."""
    packed = BytesValue(value=matrix.tobytes()).SerializeToString()
    numbers = schema_pb2.FloatArray.FromString(packed)
    return schema_pb2.VectorField(dim=matrix.shape[1], float_vector=numbers)


def _json(values: Iterable[Any]) -> Any:
    data = [one if isinstance(one, bytes) else orjson.dumps(one) for one in values]
    return schema_pb2.ScalarField(json_data=schema_pb2.JSONArray(data=data))


def _texts(values: Iterable[Any]) -> Any:
    return schema_pb2.ScalarField(string_data=schema_pb2.StringArray(data=values))


def _truths(values: Iterable[Any]) -> Any:
    return schema_pb2.ScalarField(bool_data=schema_pb2.BoolArray(data=values))


def _whole(values: Iterable[Any]) -> Any:
    return schema_pb2.ScalarField(long_data=schema_pb2.LongArray(data=values))


# In this order, for a bool is an int too.
_SCALARS: Mapping[Any, tuple[DataType, Callable[[Iterable[Any]], Any]]] = {
    str: (DataType.VARCHAR, _texts),
    bool: (DataType.BOOL, _truths),
    int: (DataType.INT64, _whole),
    (bytes, Mapping): (DataType.JSON, _json),
}
