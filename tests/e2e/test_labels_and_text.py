"""`beholden labels` and `beholden text`, as a user types them."""

from pathlib import Path

import pytest
from PIL import Image

from tests.e2e.conftest import Shell
from tests.pictures import path

HERALD = ("--as", "daily-herald")


def test_labels_are_shown_drawn_and_told_to_programs(shell: Shell, scenery: Path) -> None:
    out = shell.folder / "objects.png"
    shown = shell.run("labels", scenery, *HERALD, "--looks", "--draw", out)
    assert shown.code == 0, shown.err
    for word in ("Cup", "Kitchenware", "yolox_nano@1", "0 people", "bright", "#"):
        assert word in shown.out
    assert Image.open(out).size == (960, 640)
    told = shell.run("labels", scenery, *HERALD, "--only", "cup", "--json").json
    assert [label["name"] for label in told["labels"]] == ["Cup"]
    assert told["person_count"] == 0
    assert told["decision_id"]


def test_a_label_that_is_misspelt_is_told_what_is_near(shell: Shell, scenery: Path) -> None:
    ended = shell.run("labels", scenery, *HERALD, "--not", "Cpu")
    assert ended.code == 2
    assert "did you mean" in ended.err
    assert "Cup" in ended.err


def test_text_is_shown_drawn_and_told_to_programs(shell: Shell) -> None:
    page = shell.folder / "page.png"
    Image.open(path("text/phototest.tif")).convert("RGB").save(page)
    out = shell.folder / "read.png"
    shown = shell.run("text", page, *HERALD, "--draw", out)
    assert shown.code == 0, shown.err
    assert "over the lazy fox" in shown.out
    assert "8 lines, 60 words" in shown.out
    assert Image.open(out).format == "PNG"
    told = shell.run("text", page, *HERALD, "--region", "0,0.2,1,0.4", "--json").json
    lines = [one["text"] for one in told["texts"] if one["type"] == "TEXT_TYPE_LINE"]
    assert lines[0] == "This is a lot of 12 point text to test the"
    assert len(lines) == 3


@pytest.mark.parametrize("region", ["0,1", "a,b,c,d", "0,0,2,1", "0.5,0,0.5,1"])
def test_a_region_that_is_none(shell: Shell, scenery: Path, region: str) -> None:
    ended = shell.run("text", scenery, *HERALD, "--region", region)
    assert ended.code == 2
    assert "region" in ended.err
