"""People, what is known of a face, and erasure, at the terminal."""

from pathlib import Path

import pytest

from tests.e2e.conftest import Shell

HERALD = ("--as", "daily-herald", "--purpose", "editorial_research")
PAST = ("--source", "desk", "--legal-basis", "press law", "--consent-id", "form-99")


@pytest.fixture(scope="module")
def face(shell: Shell, astronaut: Path) -> str:
    """One face in the collection `human`."""
    shell.run(*HERALD, "collections", "create", "human")
    shell.run(*HERALD, "index", "human", astronaut, "--external-id", "collins", *PAST)
    return str(shell.run(*HERALD, "faces", "list", "human", "--json").json["name"])


def test_a_human_being_from_the_first_face_to_the_last(
    shell: Shell, astronaut: Path, face: str
) -> None:
    number = face.rpartition("/")[2]
    assert (
        "made collections/human/people/eileen"
        in shell.run(*HERALD, "people", "create", "human", "eileen", "--name", "Eileen Collins").out
    )
    assert (
        "eileen has 1 face"
        in shell.run(*HERALD, "people", "associate", "human", "eileen", number).out
    )
    left = shell.run(*HERALD, "people", "associate", "human", "eileen", number[:-1] + "x")
    assert left.code == 2, "no face's id"
    missing = "00000000-0000-4000-8000-000000000000"
    left = shell.run(*HERALD, "people", "associate", "human", "eileen", missing)
    assert left.code == 1
    assert "face not found" in left.out
    found = shell.run(*HERALD, "people", "search", "human", astronaut)
    assert "Eileen Collins" in found.out
    assert "at least 0.80, the default; 1 searched" in found.out
    assert "eileen" in shell.run(*HERALD, "people", "list", "human").out
    assert "active" in shell.run(*HERALD, "people", "get", "human", "eileen").out
    assert "eileen" in shell.run(*HERALD, "faces", "list", "human", "--consent-id", "form-99").out
    early = shell.run(*HERALD, "faces", "list", "human", "--enrolled-before", "2020-01-01")
    assert "no faces" in early.out

    kept = shell.run(*HERALD, "faces", "delete", "human", number, "--yes")
    assert kept.code == 1
    assert "it is eileen's" in kept.out

    dry = shell.run(*HERALD, "erase", "--consent-id", "form-99", "--dry-run")
    assert "1 face would go from 1 of" in dry.out
    seen = shell.run(*HERALD, "erase", astronaut, "--dry-run", "--json")
    # The newsroom may have her in other collections too.
    candidates = [
        one["face"]["name"] for each in seen.json["matches"] for one in each["candidates"]
    ]
    assert face in candidates
    gone = shell.run(*HERALD, "erase", "--consent-id", "form-99", "--yes")
    assert "1 face erased from 1 of" in gone.out
    assert "eileen" in gone.out
    assert "no faces" in shell.run(*HERALD, "faces", "list", "human").out
    assert "nobody" in shell.run(*HERALD, "people", "list", "human").out
    wrong = shell.run(*HERALD, "erase", "--consent-id", "form-99", "--person", "eileen")
    assert wrong.code == 2
