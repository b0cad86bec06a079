"""Checks all Rego here: its format, OPA's strict check, its tests, and that these cover every rule.

Usage: python policies/check.py [OPA]. Without an OPA it says so and passes, except where CI=true.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

POLICIES = Path(__file__).resolve().parent
FOLDERS = (POLICIES, POLICIES.parent / "k8s" / "policy")


def main(opa: str | None) -> str:
    """What is wrong, empty where nothing is."""
    if opa is None:
        missing = "no opa was found, so the policies are not checked"
        if os.environ.get("CI") == "true":
            return missing
        print(missing)  # noqa: T201
        return ""
    return "\n".join(filter(None, (_faults(opa, folder) for folder in FOLDERS)))


def _faults(opa: str, folder: Path) -> str:
    for command in (["fmt", "--fail", "--list"], ["check", "--strict", "--bundle"]):
        run = subprocess.run([opa, *command, folder], capture_output=True, text=True, check=False)
        if run.returncode != 0:
            return f"opa {command[0]}: {run.stdout}{run.stderr}"
    command = ["test", "--bundle", "--coverage", "--fail-on-empty", "--format=json"]
    run = subprocess.run([opa, *command, folder], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        words = subprocess.run(
            [opa, "test", "--bundle", "--verbose", folder],
            capture_output=True,
            text=True,
            check=False,
        )
        return f"opa test: {words.stdout[-4000:]}{run.stderr}"
    files = json.loads(run.stdout)["files"]
    return "\n".join(
        f"{path}:{gap['start']['row']}: no test covers this"
        for path, report in sorted(files.items())
        if not path.endswith("_test.rego")
        for gap in report.get("not_covered", [])
    )


def find() -> str | None:
    """The project's own opa, the Go toolchain's, or one on PATH."""
    places = [POLICIES.parent / ".engines/bin", Path.home() / "go/bin"]
    path = os.pathsep.join([*map(str, places), os.environ.get("PATH", "")])
    return shutil.which("opa", path=path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else find()) or None)
