"""The plan for large galleries says what its arithmetic says."""

import pytest

from tests.bench.scale import INDEXES, Figures, Machine, beside, plan, table
from tests.house import ROOT


def test_the_page_has_the_computed_table() -> None:
    text = (ROOT / "docs" / "scale.md").read_text("utf-8")
    assert (
        text.split("<!-- computed: begin -->\n")[1].split("\n<!-- computed: end -->")[0] == table()
    )


def test_what_was_measured_comes_out_again() -> None:
    figures = Figures()
    million = plan(figures.faces, INDEXES[0], figures, Machine(cores=figures.cores))
    assert million.memory == pytest.approx(figures.resident - figures.resident_idle)
    assert million.build_hours * 3600 == pytest.approx(figures.index_seconds)
    assert f"{beside(figures) + 640:,.0f} bytes" in (ROOT / "docs" / "scale.md").read_text("utf-8")


def test_ten_times_the_faces_need_ten_times_the_memory() -> None:
    for index in INDEXES:
        small, large = (plan(faces, index, Figures(), Machine()) for faces in (10**8, 10**9))
        assert large.memory == pytest.approx(10 * small.memory)
        assert large.machines >= small.machines
