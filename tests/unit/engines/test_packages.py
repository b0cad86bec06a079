"""An environment is made of exactly what is listed, to its end or not at all."""

import sys
from pathlib import Path

import pytest

from beholden.core.errors import FailedPrecondition
from beholden.engines import milvus, packages, triton
from tests.pictures import ROOT

LISTS = (triton._REQUIREMENTS, milvus._REQUIREMENTS)


@pytest.mark.thorough
def test_what_is_listed_is_installed_once_and_only_by_its_hash(tmp_path: Path) -> None:
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("# nothing\n")
    folder = tmp_path / "environment"
    assert not packages.installed(folder, wanted)
    packages.install(folder, wanted)
    assert packages.installed(folder, wanted)
    (folder / "ours").touch()
    packages.install(folder, wanted)
    assert (folder / "ours").exists()
    wanted.write_text("packaging==26.3\n")
    assert not packages.installed(folder, wanted)
    with pytest.raises(FailedPrecondition, match=r"(?s)wanted\.txt cannot be had.*require"):
        packages.install(folder, wanted)
    assert not packages.installed(folder, wanted)


def test_a_command_that_fails_is_quoted() -> None:
    with pytest.raises(FailedPrecondition, match="it broke: error: no luck"):
        packages.run([sys.executable, "-c", "import sys; sys.exit('error: no luck')"], "it broke")
    with pytest.raises(FailedPrecondition, match="it broke: /no/such: No such file"):
        packages.run(["/no/such"], "it broke")
    assert packages.run([sys.executable, "-c", "print('said')"], "it broke") == "said\n"


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_every_listed_package_is_pinned_by_hash_and_names_no_host(path: Path) -> None:
    text = path.read_text()
    names = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert names
    assert all("==" in line for line in names)
    assert text.count("--hash=sha256:") >= len(names)
    assert "://" not in text


def test_the_lists_are_part_of_the_package() -> None:
    assert all(path.is_relative_to(ROOT / "services" / "beholden") for path in LISTS)
