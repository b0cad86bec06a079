"""`pip install .` from a clean checkout: the wheel carries all that the code looks for."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import ROOT

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


@pytest.mark.timeout(300)
def test_the_wheel_stands_alone(tmp_path: Path) -> None:
    clone, site, elsewhere = (tmp_path / name for name in ("clone", "site", "elsewhere"))
    elsewhere.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    assert not (clone / "services/beholden/v1").exists(), "stubs are generated, never committed"
    subprocess.run(
        [*PIP, "install", "--no-deps", "--no-build-isolation", "--target", site, clone], check=True
    )
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "from beholden.runtime.settings import Settings; s = Settings();"
            "from beholden.catalog.entries import load_catalog;"
            "from beholden.policy.tenants import load_tenants;"
            "print(s.policy_url, s.catalog, len(load_catalog(s.catalog).models),"
            " len(load_tenants(s.tenants)));"
            "from beholden.v1 import search_pb2; print(search_pb2.__file__)",
        ],
        cwd=elsewhere,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert str(site / "beholden/resources/policies") in said
    assert str(site / "beholden/resources/models/catalog.yaml") in said
    assert str(site / "beholden/v1/search_pb2.py") in said
    assert str(ROOT) not in said
