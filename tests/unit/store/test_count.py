"""The count of rows beside a Milvus Lite database."""

from pathlib import Path

from beholden.store.count import RowCount


def test_counts_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "x.rows"
    count = RowCount(path)
    assert count.is_new
    count.set("faces", "a", 3)
    count.set("faces", "b", 5)
    count.set("faces", "a", 2)
    count.set("catalog", "a", 1)
    count.set("faces", "b", 0)
    count.close()
    again = RowCount(path)
    assert not again.is_new
    assert [again.of(*key) for key in (("faces", "a"), ("faces", "b"), ("catalog", "a"))] == [
        2,
        0,
        1,
    ]
    assert again.most() == 2
    again.close()


def test_losses_and_finds(tmp_path: Path) -> None:
    count = RowCount(tmp_path / "x.rows")
    count.set("faces", "a", 3)
    count.set("faces", "b", 5)
    assert count.lost({("faces", "a"): 3, ("faces", "b"): 5}) == 0
    assert count.lost({("faces", "a"): 9, ("faces", "b"): 4}) == 1, "more here is not less there"
    assert count.lost({("faces", "a"): 3}) == 5
    count.adopt({("faces", "a"): 4, ("faces", "c"): 1})
    assert (count.of("faces", "a"), count.of("faces", "c")) == (4, 1)
    count.close()
