"""The overlays as kustomize renders them, and the check that `make check` runs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from tests.pictures import ROOT, missing

K8S = ROOT / "k8s"


@pytest.fixture(scope="session")
def manifests() -> Any:
    """k8s/manifests.py, which is no package."""
    spec = spec_from_file_location("manifests", K8S / "manifests.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def rendered(manifests: Any) -> Any:
    """What an overlay renders to, by its name."""

    @cache
    def documents(name: str) -> list[Mapping[str, Any]]:
        kustomize = manifests.find_kustomize()
        if kustomize is None:
            missing("neither kustomize nor kubectl is here: run `make engines`")
        return manifests.render(kustomize, K8S / "overlays" / name)

    return documents


def check(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Runs the check of the k8s/ in `folder`."""
    return subprocess.run(
        [sys.executable, folder / "k8s" / "check.py"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path, manifests: Any) -> Path:
    """A folder with a copy of k8s/, to be broken."""
    if manifests.find_kustomize() is None or manifests.which("opa") is None:
        missing("kustomize or opa is not here: run `make engines`")
    shutil.copytree(K8S, tmp_path / "k8s")
    return tmp_path
