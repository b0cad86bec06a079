"""`beholden reviews` as the requester and the reviewer type it."""

import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from beholden.cli import main
from tests.integration.review.houses import NEWSROOM, PURPOSES, Person, astronaut, reviewing


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs a command as alice, or as the person named by `who`; `collection` is hers."""
    folder = tmp_path_factory.mktemp("house")
    with reviewing(folder) as (served, meet):
        people: dict[str, Person] = {
            "alice": meet("alice"),
            "bob": meet("bob", roles=["reviewer"]),
        }
        (folder / "who.jpg").write_bytes(astronaut(90))
        (folder / "collection").write_text(people["alice"].enrol().rpartition("/")[2])

        def run(*arguments: object, who: str = "alice") -> Ended:
            token = people[who].metadata[0][1].removeprefix("Bearer ")
            env = {
                "PATH": os.environ["PATH"],
                "COLUMNS": "140",
                "BEHOLDEN_SERVER": served.address,
                "BEHOLDEN_TOKEN": token,
                "BEHOLDEN_PURPOSE": PURPOSES[NEWSROOM],
            }
            out, err = io.StringIO(), io.StringIO()
            with (
                mock.patch.dict(os.environ, env, clear=True),
                redirect_stdout(out),
                redirect_stderr(err),
            ):
                code = main([str(argument) for argument in arguments])
            return Ended(code, out.getvalue(), err.getvalue())

        run.folder = folder  # type: ignore[attr-defined]
        yield run


@pytest.fixture
def search(run: Run) -> tuple[object, ...]:
    folder: Path = run.folder  # type: ignore[attr-defined]
    return ("search", (folder / "collection").read_text(), folder / "who.jpg")


def test_the_whole_way(run: Run, search: tuple[object, ...]) -> None:
    told = run(*search)
    assert (told.code, told.err) == (0, "")
    assert "waits for review" in told.out
    name = run(*search, "--json").json["review"]
    review = name.removeprefix("reviews/")
    waiting = run("reviews", "show", review)
    assert "withheld" in waiting.out
    assert "first" not in waiting.out

    assert review in run("reviews", "list", "--pending", who="bob").out
    shown = run("reviews", "show", name, who="bob")
    for said in (
        "alice",
        "face.search_by_image",
        "editorial_research",
        "first",
        "second",
        "pending",
    ):
        assert said in shown.out
    confirmed = run(
        "reviews", "confirm", review, "--candidate", 2, "--reason", "her [bold]ear", who="bob"
    )
    assert (confirmed.code, confirmed.err) == (0, "")
    assert "confirmed" in confirmed.out
    assert "her [bold]ear" in confirmed.out

    got = run("reviews", "show", review)
    assert "second" in got.out
    assert "first" not in got.out.partition("similarity")[2]
    (candidate,) = run("reviews", "show", review, "--json").json["answer"]["candidates"]
    assert candidate["face"]["external_image_id"] == "second"


def test_a_rejection(run: Run, search: tuple[object, ...]) -> None:
    name = run(*search, "--json").json["review"]
    ended = run("reviews", "reject", name, "--reason", "nobody", "--json", who="bob")
    assert ended.json["state"] == "REVIEW_STATE_REJECTED"
    assert "rejected" in run("reviews", "show", name).out


def test_a_comparison(run: Run, search: tuple[object, ...]) -> None:
    told = run("compare", search[2], search[2])
    assert "waits for review" in told.out
    name = run("compare", search[2], search[2], "--json").json["review"]
    assert "similarity" in run("reviews", "show", name, who="bob").out


def test_errors_say_what_is_wrong(run: Run, search: tuple[object, ...]) -> None:
    name = run(*search, "--json").json["review"]
    assert run("reviews", "confirm", name, who="bob").code == 2, "a reason is wanted"
    assert run("reviews", "confirm", name, "--reason", "").code in (2, 3)
    mine = run("reviews", "confirm", name, "--reason", "it is her")
    assert (mine.code, "reviewer" in mine.err) == (3, True)
    nine = run("reviews", "confirm", name, "--reason", "x", "--candidate", 9, who="bob")
    assert (nine.code, "from 1 to 2" in nine.err) == (2, True)
    odd = run("reviews", "show", "nonsense")
    assert (odd.code, "reviews/{review}" in odd.err) == (2, True)
    none = run("reviews", "show", "00000000-0000-7000-8000-000000000000")
    assert none.code == 1
    run("reviews", "reject", name, "--reason", "x", who="bob")
    late = run("reviews", "confirm", name, "--reason", "x", who="bob")
    assert (late.code, "rejected" in late.err) == (1, True)
