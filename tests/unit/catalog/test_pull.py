"""What a pull leaves behind, above all when it fails."""

import fcntl
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from beholden.catalog.entries import Catalog, load_catalog
from beholden.catalog.pull import pull
from beholden.catalog.reports import Outcome, Stage, State, Step
from beholden.catalog.repository import available, remedy, verify
from beholden.core.errors import InvalidArgument
from tests.unit.catalog.build import catalog, entry, mirror, onnx_model, pin

UNREACHABLE = {"kind": "https", "base": "https://127.0.0.1:9/models/"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return tmp_path / "repository"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return mirror(tmp_path / "mirror", b"other", onnx_model())


def visible(folder: Path) -> dict[str, bytes]:
    """Every file of a repository but its lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_a_pulled_model_lies_in_tritons_layout(
    tmp_path: Path, repository: Path, weights: Path
) -> None:
    known = catalog(tmp_path / "c", entry(parameters={"bias": 1}, labels=["a"]))
    steps: list[Step] = []
    (report,) = pull(known, None, repository, mirror=weights, progress=steps.append)

    assert (report.outcome, report.source) == (Outcome.PULLED, "mirror")
    assert set(visible(repository)) == {
        "adder/config.pbtxt",
        "adder/1/model.onnx",
        "adder/provenance.json",
    }
    (checked,) = verify(known, repository)
    assert (checked.state, checked.remedy) == (State.INTACT, "")
    spec = available(known, repository, "arithmetic")
    assert spec is not None
    assert (spec.id, spec.digest) == ("adder@1", report.digest)
    assert (spec.parameters, spec.labels, spec.max_batch) == ({"bias": 1.0}, ("a",), 4)
    fetched = [step for step in steps if step.stage is Stage.FETCH]
    assert fetched[0].done == 0
    assert fetched[-1].done == fetched[-1].total == len(onnx_model())
    assert steps[-1] == Step("adder", Stage.CONVERT, "onnx@1", 1, 1)


def test_an_intact_model_is_left_alone_and_asks_no_source(
    tmp_path: Path, repository: Path, weights: Path
) -> None:
    known = catalog(tmp_path / "c", entry())
    pull(known, None, repository, mirror=weights)
    before = (repository / "adder").stat().st_ino
    steps: list[Step] = []
    (report,) = pull(known, ["adder", "adder"], repository, progress=steps.append)
    assert report.outcome is Outcome.INTACT
    assert report.digest
    assert not steps
    assert (repository / "adder").stat().st_ino == before


def test_sources_are_tried_in_order_and_each_says_why(
    tmp_path: Path, repository: Path, weights: Path
) -> None:
    sources = [UNREACHABLE, {"kind": "mirror"}]
    known = catalog(tmp_path / "c", entry(sources=sources))
    (report,) = pull(known, None, repository)
    assert report.outcome is Outcome.FAILED
    assert [attempt.source for attempt in report.attempts] == ["https 127.0.0.1", "mirror"]
    assert "https://127.0.0.1:9/models/adder.onnx cannot be read" in report.attempts[0].problem
    assert report.attempts[1].problem == "no mirror folder is set"
    assert not visible(repository)

    (report,) = pull(known, None, repository, mirror=weights)
    assert (report.outcome, report.source) == (Outcome.PULLED, "mirror")


@pytest.mark.parametrize("content", [onnx_model()[:-1], onnx_model(2.0), b""])
def test_a_mirror_without_the_content_leaves_nothing(
    tmp_path: Path, repository: Path, content: bytes
) -> None:
    known = catalog(tmp_path / "c", entry())
    poor = mirror(tmp_path / "poor", content)
    (report,) = pull(known, None, repository, mirror=poor)
    assert "has the content of adder.onnx" in report.attempts[0].problem
    assert not visible(repository)
    assert {path.name for path in repository.iterdir()} == {".lock"}
    assert available(known, repository, "arithmetic") is None
    assert remedy(known, "arithmetic") == "run: beholden models pull adder"


def test_a_mirror_that_is_no_folder_is_named(tmp_path: Path, repository: Path) -> None:
    known = catalog(tmp_path / "c", entry())
    (report,) = pull(known, None, repository, mirror=tmp_path / "absent")
    assert report.attempts[0].problem == f"{tmp_path / 'absent'} is not a folder"


@pytest.mark.parametrize(
    ("content", "changed", "said"),
    [
        (b"no onnx at all", {}, "no ONNX file in adder.onnx"),
        (onnx_model(), {"converter": "onnx@9"}, "there is no converter onnx@9"),
        (onnx_model(), {"converter": "centerface@1"}, "needs the file 'centerface.onnx'"),
        (
            onnx_model(),
            {"outputs": [{"name": "total", "dtype": "float32", "shape": [-1, 3]}]},
            "its outputs are",
        ),
    ],
)
def test_what_cannot_be_converted_leaves_nothing(
    tmp_path: Path, repository: Path, content: bytes, changed: dict[str, Any], said: str
) -> None:
    known = catalog(tmp_path / "c", {**entry(content=content), **changed})
    (report,) = pull(known, None, repository, mirror=mirror(tmp_path / "m", content))
    assert report.outcome is Outcome.FAILED
    assert said in report.detail
    assert not visible(repository)


def test_a_failed_pull_keeps_what_was_there(
    tmp_path: Path, repository: Path, weights: Path
) -> None:
    pull(catalog(tmp_path / "c", entry()), None, repository, mirror=weights)
    before = visible(repository)
    newer = catalog(tmp_path / "c", entry(content=onnx_model(2.0), version=2))
    assert verify(newer, repository)[0].state is State.OUTDATED
    (report,) = pull(newer, None, repository, mirror=weights)
    assert report.outcome is Outcome.FAILED
    assert visible(repository) == before


def test_a_newer_version_replaces_the_old_one(
    tmp_path: Path, repository: Path, weights: Path
) -> None:
    pull(catalog(tmp_path / "c", entry()), None, repository, mirror=weights)
    newer = catalog(tmp_path / "c", entry(version=2))
    (report,) = pull(newer, None, repository, mirror=weights)
    assert report.outcome is Outcome.PULLED
    assert set(visible(repository)) == {
        "adder/config.pbtxt",
        "adder/2/model.onnx",
        "adder/provenance.json",
    }


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("1/model.onnx", onnx_model(3.0)),
        ("1/model.onnx", None),
        ("config.pbtxt", b"name: 'other'"),
        ("provenance.json", None),
        ("provenance.json", b"{}"),
        ("provenance.json", b"\xff{"),
    ],
)
def test_damage_is_found_and_mended(
    tmp_path: Path, repository: Path, weights: Path, path: str, content: bytes | None
) -> None:
    known = catalog(tmp_path / "c", entry())
    pull(known, None, repository, mirror=weights)
    good = visible(repository)
    target = repository / "adder" / path
    target.unlink() if content is None else target.write_bytes(content)

    (checked,) = verify(known, repository)
    assert checked.state is State.DAMAGED
    assert path in checked.problem
    assert checked.remedy == "beholden models pull adder"
    assert available(known, repository, "arithmetic") is None
    (report,) = pull(known, None, repository, mirror=weights)
    assert report.outcome is Outcome.PULLED
    assert visible(repository) == good


def test_a_record_without_the_weights_is_damage(
    tmp_path: Path, repository: Path, weights: Path
) -> None:
    known = catalog(tmp_path / "c", entry())
    pull(known, None, repository, mirror=weights)
    path = repository / "adder" / "provenance.json"
    record = json.loads(path.read_text())
    del record["files"]["1/model.onnx"]
    path.write_text(json.dumps(record))
    assert verify(known, repository)[0].state is State.DAMAGED


def test_a_changed_configuration_is_laid_out_without_fetching_again(
    tmp_path: Path, repository: Path, weights: Path
) -> None:
    known = catalog(tmp_path / "c", entry())
    pull(known, None, repository, mirror=weights)
    (tmp_path / "c" / "adder" / "config.pbtxt").write_text("max_batch_size: 9\n")
    (report,) = pull(known, None, repository)
    assert (report.outcome, report.source) == (Outcome.PULLED, "mirror")
    assert visible(repository)["adder/config.pbtxt"] == b"max_batch_size: 9\n"
    assert verify(known, repository)[0].ok


def test_a_licence_has_to_be_accepted_by_its_own_name(
    tmp_path: Path, repository: Path, weights: Path
) -> None:
    known = catalog(tmp_path / "c", entry(licence="AGPL-3.0-only"))
    for accepted in ((), {"AGPL-3.0"}, {"GPL-3.0-only"}):
        (report,) = pull(known, ["adder"], repository, mirror=weights, accept=accepted)
        assert report.outcome is Outcome.REFUSED
        assert "AGPL-3.0-only" in report.detail
        assert not visible(repository)
    (report,) = pull(known, None, repository, mirror=weights, accept={"AGPL-3.0-only"})
    assert report.outcome is Outcome.PULLED


def candidates(tmp_path: Path, first: bytes) -> Catalog:
    return catalog(tmp_path / "c", entry("better", content=first), entry("good"), entry("spare"))


def test_a_role_gets_its_best_obtainable_model(
    tmp_path: Path, repository: Path, weights: Path
) -> None:
    known = candidates(tmp_path, onnx_model(9.0))
    reports = pull(known, None, repository, mirror=weights)
    assert [(report.name, report.outcome) for report in reports] == [
        ("better", Outcome.FAILED),
        ("good", Outcome.PULLED),
    ]
    spec = available(known, repository, "arithmetic")
    assert spec is not None
    assert spec.name == "good"
    pull(known, ["spare"], repository, mirror=weights)
    both = mirror(tmp_path / "both", onnx_model(9.0))
    pull(known, ["better"], repository, mirror=both)
    spec = available(known, repository, "arithmetic")
    assert spec is not None
    assert spec.name == "better"
    assert remedy(known, "cooking").startswith("add a model with the role cooking")


def test_an_unknown_name_pulls_nothing(tmp_path: Path, repository: Path, weights: Path) -> None:
    known = catalog(tmp_path / "c", entry())
    with pytest.raises(InvalidArgument, match="'adda' is not in the catalogue"):
        pull(known, ["adder", "adda"], repository, mirror=weights)
    assert not repository.exists()


def test_what_a_killed_pull_left_is_cleared(
    tmp_path: Path, repository: Path, weights: Path
) -> None:
    left = repository / ".pull-killed" / "source-0"
    left.mkdir(parents=True)
    (left / "half").write_bytes(b"half")
    pull(catalog(tmp_path / "c", entry()), None, repository, mirror=weights)
    assert not left.exists()


def test_pulls_into_one_repository_wait_for_each_other(
    tmp_path: Path, repository: Path, weights: Path
) -> None:
    known = catalog(tmp_path / "c", entry())
    repository.mkdir()
    waiting, steps = threading.Event(), []

    def progress(step: Step) -> None:
        steps.append(step)
        if step.stage is Stage.WAIT:
            waiting.set()

    def second() -> None:
        pull(known, None, repository, mirror=weights, progress=progress)

    with (repository / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        thread = threading.Thread(target=second)
        thread.start()
        assert waiting.wait(30)
        assert not visible(repository)
    thread.join(30)
    assert steps[0].stage is Stage.WAIT
    assert verify(known, repository)[0].ok


def test_an_interrupted_pull_leaves_nothing(
    tmp_path: Path, repository: Path, weights: Path
) -> None:
    def interrupt(step: Step) -> None:
        if step.stage is Stage.CONVERT:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(catalog(tmp_path / "c", entry()), None, repository, mirror=weights, progress=interrupt)
    assert {path.name for path in repository.iterdir()} == {".lock"}


def test_a_source_may_hold_another_form(tmp_path: Path, repository: Path, weights: Path) -> None:
    """A record made from a package's own form is current for the model that lists that package."""
    package = {
        "kind": "npm",
        "package": "adder",
        "version": "1.0.0",
        "archive": pin(b"x"),
        "folder": "package",
        "files": [pin(onnx_model(), name="adder.min.js")],
    }
    known = catalog(tmp_path / "c", entry())
    pull(known, None, repository, mirror=weights)
    path = repository / "adder" / "provenance.json"
    path.write_text(path.read_text().replace("adder.onnx", "adder.min.js"))
    assert verify(known, repository)[0].state is State.OUTDATED
    known = catalog(tmp_path / "c", entry(sources=[{"kind": "mirror"}, package]))
    assert verify(load_catalog(tmp_path / "c" / "catalog.yaml"), repository)[0].ok
