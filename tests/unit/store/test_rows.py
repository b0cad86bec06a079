"""Keys, expressions and rows: pure functions."""

import itertools
import json
import uuid
from dataclasses import replace

import numpy as np
import pytest

from beholden.core.errors import InvalidArgument
from beholden.core.faces import Pose, Quality
from beholden.core.gallery import Provenance
from beholden.store.rows import (
    Row,
    among,
    between,
    checked_templates,
    collection_key,
    entry_of,
    entry_to_row,
    equals,
    face_id,
    face_keys,
    faces_after,
    faces_to_rows,
    row_to_entry,
    row_to_face,
    tenant_key,
)
from tests.contract.stores import collection, faces, templates

SCOPE = "0123456789abcdef" * 2
NAMES = ["a", "A", "aa", "a.b", "a-b", "a/b", "a.", "0", "é", "z", "zz", "😀", "\0", '"', "\\", " "]


def test_catalogue_rows_sort_by_the_collections_name() -> None:
    rows = [entry_of(collection("news", name)).id for name in NAMES]
    by_key = [name for _, name in sorted(zip(rows, NAMES, strict=True))]
    assert by_key == sorted(NAMES, key=str.encode)


@pytest.mark.parametrize(("low", "high"), list(itertools.pairwise(sorted(NAMES, key=str.encode))))
def test_the_page_after_a_name_begins_with_the_next(low: str, high: str) -> None:
    """As `Catalog` asks: everything of one name lies before its `/`, everything of the next after."""
    edge = f"{collection_key('news', low)}/"
    assert entry_of(collection("news", low)).id < edge < entry_of(collection("news", high)).id
    assert edge < f"{tenant_key('news')}/"


def test_names_of_tenants_and_collections_do_not_run_together() -> None:
    keys = {collection_key(*names) for names in itertools.product(NAMES, NAMES)}
    assert len(keys) == len(NAMES) ** 2
    assert not any(a != b and b.startswith(f"{a}.") for a, b in itertools.product(keys, keys))


def test_a_life_has_a_scope_of_its_own() -> None:
    assert entry_of(collection("news")).scope != entry_of(collection("news")).scope


@pytest.mark.parametrize("key", ['"', "x", "a b", "\\", "'", "a\n", "A", "%", '" or id > "'])
def test_nothing_but_keys_enters_an_expression(key: str) -> None:
    for expression in (
        lambda: equals("scope", key),
        lambda: between(key, "f"),
        lambda: between("0", key),
        lambda: among(["0", key]),
    ):
        with pytest.raises(ValueError, match="only keys"):
            expression()


def test_faces_page_in_order_of_their_ids() -> None:
    ids = sorted(str(uuid.uuid4()) for _ in range(50))
    assert sorted(face_keys(SCOPE, ids)) == face_keys(SCOPE, ids)
    assert [face_id(key) for key in face_keys(SCOPE, ids)] == ids
    low = face_keys(SCOPE, ids)[7]
    assert faces_after(SCOPE, ids[7]) == (
        f'scope == "{SCOPE}" and id > "{low}" and id < "{SCOPE}g"'
    )
    assert SCOPE < face_keys(SCOPE, ids)[0] <= face_keys(SCOPE, ids)[-1] < f"{SCOPE}g"


def test_only_lowercase_uuids_are_ids() -> None:
    known = str(uuid.uuid4())
    odd = [known.upper(), known.replace("-", ""), f"{{{known}}}", f"urn:uuid:{known}", "", "x", 7]
    assert face_keys(SCOPE, [*odd, known, known]) == [SCOPE + known.replace("-", "")]  # type: ignore[list-item]


def read(row: Row) -> Row:
    """As Milvus gives it back."""
    return {**row, "detail": json.loads(row["detail"])}


def test_rows_and_back() -> None:
    entry = entry_of(collection("news", '"\\', display_name="😀"))
    assert row_to_entry(read(entry_to_row(entry, live=True))) == entry
    made = faces(3)
    for face, row in zip(made, faces_to_rows(SCOPE, made, 16), strict=True):
        assert row["scope"] == SCOPE
        again = row_to_face({**read(row), "template": row["template"].tolist()})
        assert again == face
        np.testing.assert_array_equal(again.template, face.template)


def test_what_is_not_known_takes_no_room() -> None:
    (full,) = faces(1)
    bare = replace(full, provenance=Provenance(source="desk"))
    for face in (bare, replace(bare, quality=Quality(0.5, 0.0), pose=Pose(0, 0, 0), size=48.5)):
        (row,) = faces_to_rows(SCOPE, [face], 16)
        assert row_to_face(read(row)) == face
    (row,) = faces_to_rows(SCOPE, [bare], 16)
    detail = json.loads(row["detail"])
    assert detail["provenance"] == {"source": "desk"}
    assert not {"quality", "pose", "size"} & set(detail)


def test_templates_become_float32() -> None:
    double = templates(2)[0].astype(np.float64)
    made = checked_templates("x", [double, double[::-1]], 16)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made[1], double.astype(np.float32)[::-1])
    assert checked_templates("x", [], 16).shape == (0, 16)


@pytest.mark.parametrize(
    ("length", "fits"), [(1.0005, True), (0.9995, True), (1.01, False), (0.99, False)]
)
def test_templates_are_of_length_one(length: float, fits: bool) -> None:
    vector = templates(1)[0] * np.float32(length)
    if fits:
        checked_templates("x", [vector], 16)
    else:
        with pytest.raises(InvalidArgument, match="length 1"):
            checked_templates("x", [vector], 16)
