"""Lists of what is to be enrolled, read as they are and refused where they are wrong."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beholden.cli.failures import Failure
from beholden.cli.journal import Journal
from beholden.cli.manifest import Row, listing

DEFAULT = Row(source="desk", legal_basis="press law")
ROWS = np.eye(3, 4, dtype=np.float32)


def test_folders_and_files_are_one_listing(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.png", "notes.txt"):
        (tmp_path / name).touch()
    [found] = listing([tmp_path], DEFAULT)
    assert [thing.file for thing in found.things] == [tmp_path / "a.jpg", tmp_path / "b.png"]
    assert (found.total, found.templates) == (2, False)
    assert listing([tmp_path / "none"], DEFAULT)[0].total == 1, "the server says what is wrong"


def test_a_csv_says_what_the_options_do_not(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(
        "file,external_id,legal_basis,capture_time\na.jpg,ada,,2026-05-04\nb.jpg,,consent form,\n"
    )
    [found] = listing([tmp_path / "list.csv"], DEFAULT)
    ada, other = found.things
    assert found.total == 2
    assert ada.file == tmp_path / "a.jpg"
    assert ada.row == Row("ada", "desk", "press law", capture_time=1_777_852_800 * 10**9)
    assert other.row == Row("", "desk", "consent form")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path\na.jpg\n", "has a column 'path'"),
        ("external_id\nada\n", "no column `file`"),
        ("file,capture_time\na.jpg,yesterday\n", "line 2: `capture_time` must be a time"),
        ("file,acquisition\na.jpg,stolen\n", "`acquisition` must be one of from-subject"),
        ("file,source\n,desk\n", "line 2: `file` is empty"),
    ],
)
def test_a_wrong_csv_is_refused_naming_the_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(Failure, match=said):
        [list(one.things) for one in listing([tmp_path / "list.csv"], DEFAULT)]


def test_parquet_holds_templates_and_their_model(tmp_path: Path) -> None:
    table = pa.table({"embedding": ROWS.tolist(), "external_id": ["a", "b", None]})
    table = table.replace_schema_metadata({"beholden.model": "dlib_resnet_v1@1"})
    pq.write_table(table, tmp_path / "list.parquet")
    [found] = listing([tmp_path / "list.parquet"], DEFAULT)
    things = list(found.things)
    assert (found.total, found.templates, found.model) == (3, True, "dlib_resnet_v1@1")
    assert np.array_equal(np.array([thing.template for thing in things]), ROWS)
    assert [thing.row.external_id for thing in things] == ["a", "b", ""]
    assert things[2].label.endswith("list.parquet#2")


def test_templates_of_many_lengths_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"embedding": [[1.0, 0.0], [1.0]]}), tmp_path / "list.parquet")
    [found] = listing([tmp_path / "list.parquet"], DEFAULT)
    with pytest.raises(Failure, match="as many numbers"):
        list(found.things)


def test_npz_holds_templates(tmp_path: Path) -> None:
    np.savez(tmp_path / "list.npz", embeddings=ROWS, external_ids=["a", "b", "c"], model="m@1")
    [found] = listing([tmp_path / "list.npz"], DEFAULT)
    assert [thing.row.external_id for thing in found.things] == ["a", "b", "c"]
    assert found.model == "m@1"
    np.savez(tmp_path / "odd.npz", vectors=ROWS)
    with pytest.raises(Failure, match="embeddings"):
        listing([tmp_path / "odd.npz"], DEFAULT)
    (tmp_path / "torn.npz").write_bytes(b"PK no more")
    with pytest.raises(Failure, match="torn"):
        listing([tmp_path / "torn.npz"], DEFAULT)


def test_a_journal_remembers_what_was_done_where(tmp_path: Path) -> None:
    with Journal(tmp_path / "done", "here/news") as journal:
        assert "a.jpg" not in journal
        journal.add("a.jpg")
    with Journal(tmp_path / "done", "here/news") as journal:
        assert "a.jpg" in journal
        assert "b.jpg" not in journal
    with Journal(tmp_path / "done", "here/sports") as journal:
        assert "a.jpg" not in journal
    (tmp_path / "odd").write_bytes(b"\xff\xfe")
    with pytest.raises(Failure, match="resume"):
        Journal(tmp_path / "odd", "here/news")
