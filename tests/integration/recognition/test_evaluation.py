"""`beholden evaluate models` on real pictures, both embedders side by side."""

import json
from pathlib import Path

import pytest

from beholden.catalog.entries import load_catalog
from beholden.catalog.repository import available
from beholden.cli.run import run
from beholden.core.errors import FailedPrecondition, InvalidArgument
from beholden.core.models import FACE_EMBEDDER
from tests.house import ROOT
from tests.integration.recognition.test_recognition import CLEAR
from tests.pictures import path
from tests.repository import with_both_embedders

CATALOG = load_catalog(ROOT / "models" / "catalog.yaml")
SHOWN = {"obama": 2, "biden": 2, "carell": 1}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default detector and embedder, and MobileFaceNet pulled."""
    return with_both_embedders(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder a person."""
    folder = tmp_path_factory.mktemp("people")
    for who, count in SHOWN.items():
        (folder / who).mkdir()
        for number, name in enumerate(CLEAR[who][:count]):
            (folder / who / f"{number}.jpg").symlink_to(path(f"faces/{name}"))
    (folder / "carell" / "torn.jpg").write_bytes(b"\xff\xd8 no more")
    return folder


def test_both_embedders_tell_the_people_apart(
    repository: Path,
    people: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BEHOLDEN_MODEL_REPOSITORY", str(repository))
    assert run(["--json", "evaluate", "models", str(people)]) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["model"] for one in said] == ["dlib_resnet_v1@1", "mobilefacenet@1"]
    for one in said:
        assert (one["genuine_pairs"], one["impostor_pairs"]) == (2, 8)
        assert one["eer"] == 0
        assert one["tar_at_far"] == {"0.01": None, "0.001": None}
        assert one["det"][0]["fmr"] == 1
        default = next(row for row in one["at_similarity"] if row["similarity"] == 0.8)
        assert (default["fmr"], default["fnmr"]) == (0, 0), "0.8 means the same for both"


def test_what_cannot_be_compared_is_said(people: Path) -> None:
    for wrong in (people / "obama", people / "none"):
        assert run(["evaluate", "models", str(wrong)]) == 2


def test_a_model_is_chosen_by_name_or_not_at_all(repository: Path, tmp_path: Path) -> None:
    chosen = available(CATALOG, repository, FACE_EMBEDDER, "mobilefacenet")
    assert chosen
    assert (chosen.name, chosen.alignment) == ("mobilefacenet", "arcface")
    with pytest.raises(InvalidArgument, match="no face-embedder"):
        available(CATALOG, repository, FACE_EMBEDDER, "centerface")
    with pytest.raises(FailedPrecondition, match="models pull mobilefacenet"):
        available(CATALOG, tmp_path, FACE_EMBEDDER, "mobilefacenet")
