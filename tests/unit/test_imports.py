"""Who may import whom: the folder tree is the architecture, and stays it."""

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "services" / "beholden"

MAY_IMPORT = {
    "core": set(),
    "vision": {"core"},
    "wire": {"core", "v1"},
    "inference": {"core"},
    "store": {"core"},
    "policy": {"core"},
    "ledger": {"core"},
    "catalog": {"core"},
    "media": {"core"},
    "guard": {"core", "v1"},
    "detection": {"core", "vision"},
    "embedding": {"core", "vision"},
    "search": {"core", "vision"},
    "moderation": {"core", "vision"},
    "governance": {"core"},
    "video": {"core", "vision"},
    "client": {"v1"},
}
SERVICERS_ALSO = {"v1", "wire"}

ONLY_IN = {
    "onnxruntime": "inference/local.py catalog/triton_model.py",
    "tritonclient": "inference/triton.py",
    "regopy": "policy/rego.py",
    "pymilvus": "store/",
    "sqlalchemy": "ledger/",
    "requests": "catalog/ ledger/webhook.py",
    "av": "media/",
}

CORE_MAY_USE = {*sys.stdlib_module_names, "numpy", "beholden"}


@cache
def imports(path: Path) -> set[str]:
    """Full names of the modules that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


FILES = sorted(path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] != "v1")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_directions(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    used = {
        name.split(".")[1]
        for name in imports(path)
        if name.startswith("beholden.") and name.count(".") > 1
    }
    if package in MAY_IMPORT:
        allowed = MAY_IMPORT[package] | {package}
        if path.name == "servicer.py":
            allowed |= SERVICERS_ALSO
        assert used <= allowed, f"{package} may not import {sorted(used - allowed)}"
    elif package != "cli":
        assert "cli" not in used, "only the terminal knows the terminal"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_one_home_for_each_sdk(path: Path) -> None:
    where = str(path.relative_to(ROOT))
    for sdk, homes in ONLY_IN.items():
        if any(name == sdk or name.startswith(f"{sdk}.") for name in imports(path)):
            assert any(where.startswith(home) for home in homes.split()), f"{sdk} in {where}"


@pytest.mark.parametrize("path", sorted((ROOT / "core").glob("*.py")), ids=lambda path: path.name)
def test_core_is_plain(path: Path) -> None:
    assert {name.split(".")[0] for name in imports(path)} <= CORE_MAY_USE


def test_the_client_needs_grpc_and_protobuf_only() -> None:
    used = {name for path in (ROOT / "client").glob("*.py") for name in imports(path)}
    used |= {name for path in (ROOT / "v1").glob("*.py") for name in imports(path)}
    theirs = {name.split(".")[0] for name in used} - sys.stdlib_module_names
    assert theirs == {"beholden", "google", "grpc"}


def test_every_package_is_known() -> None:
    packages = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()}
    assert packages - {"v1", "runtime", "engines", "cli"} == set(MAY_IMPORT)
