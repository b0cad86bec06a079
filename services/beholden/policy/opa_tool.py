"""The `opa` program for work on policies at rest: evaluating many facts in one go."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from beholden.core.errors import FailedPrecondition
from beholden.core.law import Evaluation, Facts
from beholden.policy.bundle import write_bundle
from beholden.policy.facts import FactLimits, encode
from beholden.policy.law import ENTRYPOINT, Law

_SECONDS = 300


class OpaTool:
    """One `opa` binary."""

    def __init__(self, binary: Path) -> None:
        self._binary = binary

    def evaluate(self, law: Law, facts: Sequence[Facts]) -> list[Evaluation]:
        """The entrypoint's answers in order. Raises FailedPrecondition for law that OPA does not take."""
        with tempfile.TemporaryDirectory(prefix="beholden-opa-") as name:
            folder = Path(name)
            write_bundle(law, folder / "bundle.tar.gz")
            inputs = folder / "facts"
            inputs.mkdir()
            for number, one in enumerate(facts):
                (inputs / f"{number:08}.json").write_text(encode(one, FactLimits()))
            told = self._run(
                "exec", "--decision", ENTRYPOINT, "--bundle", folder / "bundle.tar.gz", inputs
            )
        answers = {Path(one["path"]).stem: one.get("result") for one in json.loads(told)["result"]}
        return [Evaluation(answers[f"{n:08}"], law.revision) for n in range(len(facts))]

    def _run(self, *arguments: str | Path) -> str:
        try:
            run = subprocess.run(
                [self._binary.resolve(), *arguments],
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise FailedPrecondition(f"opa {arguments[0]}: {error}") from error
        if run.returncode != 0:
            words = (run.stderr or run.stdout).strip()[-1000:]
            raise FailedPrecondition(f"opa {arguments[0]}: {words}")
        return run.stdout


def find_opa(*folders: Path) -> OpaTool | None:
    """The binary in the first of `folders` that has one, in the Go toolchain's, or on PATH."""
    for folder in (*folders, Path.home() / "go" / "bin"):
        if (folder / "opa").is_file():
            return OpaTool(folder / "opa")
    found = shutil.which("opa")
    return OpaTool(Path(found)) if found else None
