"""Rows as Milvus's columns."""

import json

import numpy as np
from pymilvus import DataType

from beholden.store.columns import columns
from tests.contract.stores import templates


def test_each_value_is_in_the_column_of_its_kind() -> None:
    made = templates(3)
    rows = [
        {
            "id": f"é{number}",
            "live": number != 1,
            "count": -number * 2**62,
            "plain": {"name": '"😀\0', "number": number},
            "packed": json.dumps({"number": number}).encode(),
            "template": template,
            "pair": [1.0, number],
        }
        for number, template in enumerate(made)
    ]
    found = {one.field_name: one for one in columns(rows)}
    assert list(found) == list(rows[0])
    assert {name: DataType(one.type) for name, one in found.items()} == {
        "id": DataType.VARCHAR,
        "live": DataType.BOOL,
        "count": DataType.INT64,
        "plain": DataType.JSON,
        "packed": DataType.JSON,
        "template": DataType.FLOAT_VECTOR,
        "pair": DataType.FLOAT_VECTOR,
    }
    assert list(found["id"].scalars.string_data.data) == ["é0", "é1", "é2"]
    assert list(found["live"].scalars.bool_data.data) == [True, False, True]
    assert list(found["count"].scalars.long_data.data) == [0, -(2**62), -(2**63)]
    for name in ("plain", "packed"):
        texts = found[name].scalars.json_data.data
        assert [json.loads(text)["number"] for text in texts] == [0, 1, 2]
    assert json.loads(found["plain"].scalars.json_data.data[0])["name"] == '"😀\0'
    vectors = found["template"].vectors
    assert vectors.dim == 16
    np.testing.assert_array_equal(
        np.reshape(vectors.float_vector.data, (3, 16)), np.stack(made), strict=False
    )
    assert list(found["pair"].vectors.float_vector.data) == [1, 0, 1, 1, 1, 2]
