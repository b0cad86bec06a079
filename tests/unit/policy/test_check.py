"""The policies are formatted, strict, and tested rule by rule, as OPA sees it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.policy_engines import POLICIES, require_opa


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "check.py"), str(require_opa())]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_policies_pass() -> None:
    run = check(POLICIES)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("file", "more", "problem"),
    [
        ("usage/rules/role/role.rego", "\n\nlate if   input.a\n", "opa fmt"),
        ("usage/rules/role/role.rego", "\nlate if inptu.a\n", "opa check"),
        ("usage/rules/role/role.rego", '\nlate if input.action == "x"\n', "no test covers this"),
        ("usage/rules/role/role_test.rego", "\ntest_fails if 1 == 2\n", "opa test"),
    ],
)
@pytest.mark.thorough
def test_what_would_spoil_them_is_found(tmp_path: Path, file: str, more: str, problem: str) -> None:
    folder = Path(shutil.copytree(POLICIES, tmp_path / "policies"))
    with (folder / file).open("a") as module:
        module.write(more)
    run = check(folder)
    assert run.returncode == 1
    assert problem in run.stderr
