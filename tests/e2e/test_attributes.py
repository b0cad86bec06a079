"""`beholden detect --attributes`: what a person sees of what a face tells."""

from pathlib import Path

from tests.e2e.conftest import Shell

SEARCHERS = ("--as", "find-the-lost", "--purpose", "missing_persons")


def test_attributes_are_columns_of_the_table(shell: Shell, astronaut: Path) -> None:
    plain = shell.run("detect", astronaut, *SEARCHERS)
    assert plain.code == 0
    assert "faceres@1" not in plain.out
    asked = ("--attributes", "age-range", "--attributes", "liveness")
    ended = shell.run("detect", astronaut, *SEARCHERS, *asked, "--json")
    assert ended.code == 0
    (face,) = ended.json["faces"]
    assert 1 <= face["age_range"]["low"] <= face["age_range"]["high"] <= 100
    assert face["emotions"] == []
    assert "gender_presentation" not in face
    shown = shell.run("detect", astronaut, *SEARCHERS, *asked)
    for said in ("age", "live", "faceres@1", "face_liveness@1"):
        assert said in shown.out


def test_what_the_law_refuses_is_said_in_words(shell: Shell, astronaut: Path) -> None:
    ended = shell.run("detect", astronaut, "--as", "daily-herald", "--attributes", "emotions")
    assert ended.code == 3
    assert ended.out == ""
    assert "Newsrooms may not be told" in ended.err


def test_an_unknown_attribute_is_named(shell: Shell, astronaut: Path) -> None:
    ended = shell.run("detect", astronaut, *SEARCHERS, "--attributes", "religion")
    assert ended.code == 2
    assert "religion" in ended.err
