import json
import shutil
import tarfile
from pathlib import Path

import pytest

from beholden.core.errors import FailedPrecondition
from beholden.policy.bundle import write_bundle
from beholden.policy.law import load_law
from tests.contract.policy_engines import POLICIES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the policies, to be spoiled."""
    return Path(shutil.copytree(POLICIES, tmp_path / "policies"))


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_reads_modules_and_data_in_their_places(folder: Path) -> None:
    law = load_law(folder)
    assert "usage/decision.rego" in law.modules
    assert not [path for path in law.modules if path.endswith("_test.rego")]
    assert law.data["law"]["regimes"] == {"adopted": ["amazon-2021"]}  # type: ignore[index, call-overload]
    assert "amazon-2021" in law.data["regimes"]  # type: ignore[operator]
    assert {"moratorium", "threshold"} < set(law.rules)


def test_the_revision_is_a_digest_of_what_decides(folder: Path) -> None:
    first = load_law(folder).revision
    assert first == load_law(POLICIES).revision
    put(folder / "cases/more.yaml", "x")
    put(folder / "usage/more_test.rego", "package usage.more_test\n")
    assert load_law(folder).revision == first
    put(folder / "law/regimes/data.json", '{"adopted": ["ibm-2020"]}')
    second = load_law(folder).revision
    put(folder / "usage/more.rego", "package usage.more\n")
    assert len({first, second, load_law(folder).revision}) == 3


def test_the_manifest_may_name_the_revision(folder: Path) -> None:
    manifest = json.loads((folder / ".manifest").read_text())
    put(folder / ".manifest", json.dumps({**manifest, "revision": "2026-11"}))
    assert load_law(folder).revision == "2026-11"


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("law/roles/data.json", "{", "roles/data.json"),
        ("law/roles/data.json", '{"a": NaN}', "NaN is not JSON"),
        ("law/roles/data.json", '{"a": 1, "a": 2}', "a is said twice"),
        ("law/roles/ledger.verify/data.json", "[]", "lies within|says again"),
        ("law/data.json", '{"roles": {"ledger.verify": []}}', "says again"),
        (".manifest", '{"roots": ["usage", "law", "regimes"]}', "rego_version"),
        (".manifest", '{"roots": ["usage"], "rego_version": 1}', "roots"),
        (".manifest", "[]", "rego_version"),
    ],
)
def test_names_the_file_that_is_wrong(folder: Path, file: str, text: str, problem: str) -> None:
    put(folder / file, text)
    with pytest.raises(FailedPrecondition, match=problem):
        load_law(folder)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FailedPrecondition, match="cannot be read"):
        load_law(tmp_path / "nowhere")


def test_a_bundle_holds_the_law_and_names_it(tmp_path: Path) -> None:
    law = load_law(POLICIES)
    write_bundle(law, tmp_path / "a.tar.gz")
    write_bundle(law, tmp_path / "b.tar.gz")
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "a.tar.gz") as bundle:
        files = {entry.name.lstrip("/"): bundle.extractfile(entry) for entry in bundle}
        manifest = json.load(files[".manifest"])  # type: ignore[arg-type]
        data = json.load(files["data.json"])  # type: ignore[arg-type]
    assert manifest["revision"] == law.revision
    assert data == law.data
    assert set(files) == {".manifest", "data.json", *law.modules}
